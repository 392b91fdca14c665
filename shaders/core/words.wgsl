// What a fill shader writes, word by word: any alignment, any number of elements.

@group(0) @binding(0) var<storage, read_write> words: array<u32>;
