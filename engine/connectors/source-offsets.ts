/** Door for auditors: reads the positions in a source's operator state. */
export { decodeSourceOffsets, type SourceOffset } from './operator-state-rows.ts';
