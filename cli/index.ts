/** The door of the front door: the program for who wants to call it from code, and the public face. */
export * from './library.ts';
export { runProgram } from './program.ts';
export type { Progress, Terminal } from './terminal.ts';
