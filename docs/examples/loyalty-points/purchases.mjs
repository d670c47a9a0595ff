/** What comes in: 400 purchases of seven customers. */
export const input = Array.from({ length: 400 }, (_, i) => ({ customer: `c${i % 7}`, euros: 1 + (i % 9) }));
