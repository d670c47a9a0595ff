/** `1 fault`, `2 faults`, `0 lives`: a number and the word for so many. */
export const countOf = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
