import type { Readable } from 'node:stream';
import { type APIName, GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { GetMediaCommand, KinesisVideoMediaClient, type StartSelector } from '@aws-sdk/client-kinesis-video-media';
import { MediaReader } from './media-reader.ts';

/** Signatures are not verified, so any credentials work. */
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
const GET_MEDIA: APIName = 'GET_MEDIA';

/** The real AWS SDK for the simulator at `url`, without retries. */
export class Sdk {
  readonly #control: KinesisVideoClient;
  readonly #media = new Map<string, KinesisVideoMediaClient>();
  readonly #region: string;

  constructor(url: string, region = 'us-east-1') {
    this.#region = region;
    this.#control = new KinesisVideoClient({ region, endpoint: url, credentials, maxAttempts: 1 });
  }

  /** Requests the stream's data endpoint. */
  async dataEndpoint(streamArn: string, abortSignal = new AbortController().signal): Promise<string> {
    const command = new GetDataEndpointCommand({ StreamARN: streamArn, APIName: GET_MEDIA });
    const { DataEndpoint = '' } = await this.#control.send(command, { abortSignal });
    return DataEndpoint;
  }

  /** Opens GetMedia at the stream's endpoint. */
  async getMedia(streamArn: string, selector: StartSelector): Promise<MediaReader> {
    const endpoint = await this.dataEndpoint(streamArn);
    const options = { region: this.#region, endpoint, credentials, maxAttempts: 1 };
    const client = this.#media.get(endpoint) ?? new KinesisVideoMediaClient(options);
    this.#media.set(endpoint, client);
    const { Payload } = await client.send(new GetMediaCommand({ StreamARN: streamArn, StartSelector: selector }));
    return new MediaReader(Payload as Readable);
  }

  /** Opens GetMedia for a call by the number from Connect, as the daemon does. */
  readCall({
    streamArn,
    startFragmentNumber,
  }: {
    streamArn: string;
    startFragmentNumber: string;
  }): Promise<MediaReader> {
    return this.getMedia(streamArn, { StartSelectorType: 'FRAGMENT_NUMBER', AfterFragmentNumber: startFragmentNumber });
  }

  close(): void {
    this.#control.destroy();
    for (const client of this.#media.values()) client.destroy();
  }
}
