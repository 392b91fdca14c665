// Words that the host made, because MT19937 is sequential. The first word belongs to the window's first element, or to the first
// element of that element's block of 16.

@group(0) @binding(2) var<storage, read> hostWords: array<u32>;
