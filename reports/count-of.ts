/** `1 fault`, `2 faults`, `0 lives`: a number and the word for so many. */
export const countOf = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** What goes with a number of things: `1 is`, `2 are`. */
export const areOf = (count: number): string => (count === 1 ? 'is' : 'are');
