/** Which adapter of the storage contract stands behind a place that a person names. */
import type { CheckpointFiles } from './checkpoint-files.ts';
import { LocalDirectory } from './local-directory.ts';
import { isS3Place, type S3Settings, s3BucketAt } from './s3-bucket.ts';

/** `s3://bucket/prefix`, or the path of a folder. */
export function checkpointFilesAt(place: string, s3: S3Settings): CheckpointFiles {
  return isS3Place(place) ? s3BucketAt(place, s3) : new LocalDirectory(place);
}
