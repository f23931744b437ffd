import type { Readable } from 'node:stream';
import { type APIName, GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { GetMediaCommand, KinesisVideoMediaClient, type StartSelector } from '@aws-sdk/client-kinesis-video-media';
import { MediaReader } from './media-reader.ts';

/** Any credentials will do: nobody knows the secret key. */
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
const GET_MEDIA: APIName = 'GET_MEDIA';

/** The real AWS SDK against the stand-in at `url`; it tries everything once. */
export class Sdk {
  readonly #control: KinesisVideoClient;
  readonly #media = new Map<string, KinesisVideoMediaClient>();
  readonly #region: string;

  constructor(url: string, region = 'us-east-1') {
    this.#region = region;
    this.#control = new KinesisVideoClient({ region, endpoint: url, credentials, maxAttempts: 1 });
  }

  /** Asks for the stream's data endpoint. */
  async dataEndpoint(streamArn: string, abortSignal = new AbortController().signal): Promise<string> {
    const command = new GetDataEndpointCommand({ StreamARN: streamArn, APIName: GET_MEDIA });
    const { DataEndpoint = '' } = await this.#control.send(command, { abortSignal });
    return DataEndpoint;
  }

  /** Opens a GetMedia at the endpoint that the stream has. */
  async getMedia(streamArn: string, selector: StartSelector): Promise<MediaReader> {
    const endpoint = await this.dataEndpoint(streamArn);
    const options = { region: this.#region, endpoint, credentials, maxAttempts: 1 };
    const client = this.#media.get(endpoint) ?? new KinesisVideoMediaClient(options);
    this.#media.set(endpoint, client);
    const { Payload } = await client.send(new GetMediaCommand({ StreamARN: streamArn, StartSelector: selector }));
    return new MediaReader(Payload as Readable);
  }

  /** Opens a GetMedia for a call as our project does, by the number that Connect gave. */
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
