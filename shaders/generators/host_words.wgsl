// Words that the host made: MT19937 is sequential. The first is the word of the window's first element, or of the first
// element of its block of 16.

@group(0) @binding(2) var<storage, read> hostWords: array<u32>;
