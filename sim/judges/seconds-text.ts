/** Virtual time in the messages of judges, as exact as it is: `7.2 s`. */
export const secondsText = (us: number): string => `${String(us / 1_000_000)} s`;
