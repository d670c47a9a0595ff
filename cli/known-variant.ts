/** The engine that `--variant` names; one that there is none of is told before anything is compiled. */
import { STANDARD_VARIANT, VARIANTS, variantsLike } from '../scenarios/mutants/mutant-catalog.ts';
import { UsageError } from './usage-error.ts';

export function knownVariant(variant: string = STANDARD_VARIANT): string {
  if (VARIANTS.includes(variant)) return variant;
  const near = variantsLike(variant);
  throw new UsageError(
    `--variant ${variant}: there is no such engine variant; expected ${STANDARD_VARIANT} or a slug of docs/mutants.md, which 'tidemark list' shows.${near}`,
  );
}
