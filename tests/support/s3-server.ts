/** An S3-compatible store (s3rver) on loopback, with one empty bucket. It knows one access key; it does not compute signatures of version 4. */
import S3rver from 's3rver';
import type { S3Settings } from '../../cli/s3-bucket.ts';

export const BUCKET = 'checkpoints';

export interface S3Server {
  readonly settings: S3Settings;
  close(): Promise<void>;
}

export async function startS3Server(directory: string): Promise<S3Server> {
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: BUCKET }],
  });
  const { port } = await server.run();
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    settings: { endpoint, region: 'us-east-1', accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    close: () => server.close(),
  };
}
