/** Inputs that no file holds. Pure: the same request gives the same rows, a shorter one a prefix of them. */
import type { Dataset } from '../../sim/judges/job-audit.ts';
import { accessLog } from './access-log.ts';
import type { MadeSpec } from './dataset-name.ts';
import { generatedDataset } from './generated-dataset.ts';
import { nexmarkDataset } from './nexmark-dataset.ts';
import { stockTrades } from './stock-trades.ts';

export interface MadeDatasetRequest {
  readonly name: string;
  readonly seed: string;
  readonly records: number;
}

export function madeDataset(request: MadeDatasetRequest, spec: MadeSpec): Dataset {
  const { name, seed, records } = request;
  switch (spec.kind) {
    case 'generated':
      return generatedDataset({ ...request, keys: spec.keys, skewPercent: spec.skewPercent });
    case 'nexmark':
      return nexmarkDataset({ ...request, eventsPerSecond: spec.eventsPerSecond });
    case 'stream':
      return { name, ...(spec.name === 'access-log' ? accessLog : stockTrades)(seed, records) };
    default:
      throw new RangeError(`unknown data set ${String(spec satisfies never)}`);
  }
}
