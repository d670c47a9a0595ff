/**
 * The one door through which judges and inspection see file formats of the engine: what lies in a checkpoint is read by the engine's own
 * decoders, because a format has one description. What the bytes mean is judged by the reference, which shares no code.
 *
 * Owns nothing; names what judges need of `engine/state`, `engine/lsm`, `engine/changelog`, `engine/channel-state` and `engine/connectors`.
 */
export { decodeChangeLog, isChangeLog } from '../../engine/changelog/change-log-file.ts';
export {
  type ChangelogManifest,
  decodeChangelogManifest,
  isChangelogManifest,
} from '../../engine/changelog/changelog-manifest.ts';
export { decodeChannelState } from '../../engine/channel-state/channel-state-file.ts';
export { fromCanonical, isCanonical } from '../../engine/state/canonical-savepoint.ts';
export { restorableFile, uncompressed } from '../../engine/state/compressed-state-file.ts';
export { decodeManifest, isManifest, type Manifest } from '../../engine/lsm/manifest-file.ts';
export { type RowPlace, readRowPlace } from '../../engine/lsm/row-key.ts';
export { isSegment, readSegmentRows } from '../../engine/lsm/segment-file.ts';
export { decodeSourceOffsets } from '../../engine/connectors/operator-state-rows.ts';
export { decodeEnumeratorState, decodeReaderSplits } from '../../engine/connectors/split-rows.ts';
export type {
  AggregatingState,
  ListState,
  MapState,
  ReducingState,
  ValueState,
} from '../../engine/state/keyed-state.ts';
export {
  decodeKeyedStateFile,
  decodeKeyedStateHeader,
  encodeKeyedStateFile,
  type KeyedStateHeader,
  locateKeyedStateEntries,
  readKeyedStateEntries,
} from '../../engine/state/keyed-state-file.ts';
export { decodeOperatorStateFile } from '../../engine/state/operator-state-file.ts';
export type {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  StateDescriptor,
  ValueStateDescriptor,
} from '../../engine/state/state-descriptor.ts';
export type {
  BroadcastState,
  OperatorListState,
  OperatorStateDescriptor,
  ReadOnlyBroadcastState,
} from '../../engine/state/operator-state-descriptor.ts';
export { Types } from '../../engine/state/type-information.ts';
export { skipOf } from '../../engine/state/schema-compatibility.ts';
export {
  describeSerializer,
  type SerializerSnapshot,
  sameSnapshot,
  type TypeSerializer,
} from '../../engine/state/type-serializer.ts';
