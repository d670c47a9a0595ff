/** `tidemark inspect`: what a checkpoint, a savepoint or a whole checkpoint directory holds, and whether all of it is sound. */
import { DirectoryInspection, type InspectionDocument } from '../../sim/inspection/directory-inspection.ts';
import type { CheckpointFiles } from '../checkpoint-files.ts';
import { checkpointFilesAt } from '../checkpoint-place.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { inspectionText } from '../inspection-text.ts';
import { s3Settings } from '../s3-bucket.ts';
import { UsageError } from '../usage-error.ts';

export async function inspect({ operands, options, terminal }: CommandCall): Promise<ExitCode> {
  const place = operands[0] ?? '';
  const files = checkpointFilesAt(place, s3Settings(options, terminal.variable));
  const listing = await files.list('');
  if (listing.length === 0) {
    const why = (await files.exists()) ? 'it holds no file' : 'there is no such folder or bucket';
    throw new UsageError(`Cannot inspect ${place}: ${why}.`);
  }
  const document = await inspected(files, new DirectoryInspection(listing));
  terminal.out(options.json === true ? JSON.stringify({ place, ...document }, null, 2) : inspectionText(document));
  return document.outcome === 'fine' ? EXIT.passed : EXIT.violated;
}

/** One file in memory at a time. */
async function inspected(files: CheckpointFiles, inspection: DirectoryInspection): Promise<InspectionDocument> {
  for (const metadata of inspection.metadataFiles()) {
    for (const file of inspection.open(metadata, await files.read(metadata)))
      inspection.verify(file, await files.read(file));
  }
  return inspection.document();
}
