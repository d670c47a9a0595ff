/**
 * Inputs that no file holds: drawn from a seed, or made by rule. Pure: the same request gives the same rows, a shorter one a prefix of them.
 */
import type { Dataset } from '../../sim/judges/job-audit.ts';
import { accessLog } from './access-log.ts';
import type { DatasetSpec } from './dataset-name.ts';
import { formatDatasetName } from './dataset-name.ts';
import { generatedDataset } from './generated-dataset.ts';
import { stockTrades } from './stock-trades.ts';

export type ComputedSpec = Extract<DatasetSpec, { readonly kind: 'generated' | 'made' }>;

export const isComputed = (spec: DatasetSpec): spec is ComputedSpec =>
  spec.kind === 'generated' || spec.kind === 'made';

export function computedDataset(
  spec: ComputedSpec,
  { seed, records }: { readonly seed: string; readonly records: number },
): Dataset {
  const name = formatDatasetName(spec);
  if (spec.kind === 'generated') {
    const { keys, skewPercent } = spec;
    return generatedDataset({ name, seed, records, keys, skewPercent });
  }
  const make = spec.name === 'access-log' ? accessLog : stockTrades;
  return { name, ...make(seed, records) };
}
