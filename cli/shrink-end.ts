/** Why shrinking ended, in words: empty when nothing is left to be said. */
import type { ShrinkEnd } from '../scenarios/shrink/shrinker.ts';
import { unreachable } from '../engine/foundation/assert.ts';

export function endText(ended: ShrinkEnd): string {
  switch (ended) {
    case 'minimal':
      return '';
    case 'budget':
      return 'It may not be the smallest: shrinking ended as its budget was spent (--events), before it had tried everything.';
    case 'interrupted':
      return 'It may not be the smallest: shrinking was interrupted before it had tried everything.';
    case 'unproven':
      return 'Nothing smaller was found, but it is not proven minimal: without something that is left it fails in the same way.';
    default:
      return unreachable(ended);
  }
}
