import type { S3Client } from '@aws-sdk/client-s3';
import { orAborted } from '../../runtime/abort.ts';
import type { Clock, Millis } from '../../runtime/clock.ts';
import { Egress } from '../../runtime/egress.ts';
import type { LetterBox } from './letter-box.ts';

const SUFFIX = '.letter';
/** A request without a response is retried by the caller after this. */
const TIMEOUT_MS: Millis = 10_000;
const S3_URL = /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(?<prefix>[\w!.*'()/=-]{0,512}))?$/;

/** A bucket, and the prefix of its objects' names. */
export interface S3Place {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
}

/** Parses s3://bucket/prefix; undefined if it is anything else. */
export function s3PlaceOf(url: string): S3Place | undefined {
  const { bucket, prefix = '' } = S3_URL.exec(url)?.groups ?? {};
  if (bucket === undefined) return undefined;
  return { bucket, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` };
}

/**
 * Letters in an S3 bucket, which every instance can read. The bucket's lifecycle rule bounds them. With the SDK's
 * default credentials and AWS_ENDPOINT_URL_S3. Loads the SDK on the first request: most daemons never keep a letter.
 */
export function s3Box({ bucket, prefix }: S3Place, region: string, clock: Clock, egress = new Egress()): LetterBox {
  let loading: Promise<{ sdk: typeof import('@aws-sdk/client-s3'); client: S3Client }> | undefined;
  const load = async () => {
    const sdk = await import('@aws-sdk/client-s3');
    // An endpoint of a test has no DNS name for each bucket.
    const forcePathStyle = process.env['AWS_ENDPOINT_URL_S3'] !== undefined;
    const requestHandler = { httpsAgent: egress.agent({ keepAlive: true }) };
    return { sdk, client: new sdk.S3Client({ region, forcePathStyle, followRegionRedirects: true, requestHandler }) };
  };
  const loaded = () => {
    loading ??= load();
    return loading;
  };
  const inTime = async <T>(request: (abortSignal: AbortSignal) => Promise<T>): Promise<T> => {
    const signal = clock.timeout(TIMEOUT_MS);
    try {
      // The SDK ignores the signal while it looks for credentials.
      return await orAborted(request(signal), signal);
    } catch (error) {
      if (signal.aborted) throw new Error(`S3 did not respond within ${TIMEOUT_MS} ms`, { cause: error });
      throw error;
    }
  };
  const at = (name: string) => ({ Bucket: bucket, Key: `${prefix}${name}${SUFFIX}` });

  const replace = async (name: string, bytes: Buffer) => {
    const { sdk, client } = await loaded();
    const command = new sdk.PutObjectCommand({ ...at(name), Body: bytes });
    await inTime((abortSignal) => client.send(command, { abortSignal }));
  };
  return {
    place: `s3://${bucket}/${prefix}`,
    write: replace,
    replace,
    async list() {
      const { sdk, client } = await loaded();
      const names: string[] = [];
      let token: string | undefined;
      do {
        const command = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token });
        const page = await inTime((abortSignal) => client.send(command, { abortSignal }));
        for (const { Key: key = '' } of page.Contents ?? []) {
          if (key.endsWith(SUFFIX)) names.push(key.slice(prefix.length, -SUFFIX.length));
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
      return names.sort();
    },
    async read(name) {
      const { sdk, client } = await loaded();
      try {
        return await inTime(async (abortSignal) => {
          const { Body: body } = await client.send(new sdk.GetObjectCommand(at(name)), { abortSignal });
          return body && Buffer.from(await body.transformToByteArray());
        });
      } catch (error) {
        if (error instanceof sdk.NoSuchKey) return undefined;
        throw error;
      }
    },
    async remove(name) {
      const { sdk, client } = await loaded();
      await inTime((abortSignal) => client.send(new sdk.DeleteObjectCommand(at(name)), { abortSignal }));
    },
  };
}
