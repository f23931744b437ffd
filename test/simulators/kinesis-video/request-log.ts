/** How a GetMedia body ended. */
export type BodyEnd = 'idle' | 'age' | 'not-found' | 'fault' | 'client';

/** An AWS request and its response. */
export interface AwsRequest {
  readonly api: 'GetMedia' | 'GetDataEndpoint';
  readonly atMs: number;
  /** Name or ARN from the request. */
  stream?: string;
  selector?: unknown;
  /** Undefined until it is answered. */
  status?: number;
  error?: string;
  /** GetMedia only: complete fragments sent, bytes of the body so far, and how it ended. */
  fragments?: number;
  bytes?: number;
  endedBy?: BodyEnd;
}

/** All AWS requests, oldest first. */
export class RequestLog {
  readonly requests: AwsRequest[] = [];

  add(api: AwsRequest['api']): AwsRequest {
    const request: AwsRequest = { api, atMs: Date.now() };
    this.requests.push(request);
    return request;
  }

  counts(): Record<AwsRequest['api'], number> {
    const of = (api: AwsRequest['api']) => this.requests.filter((request) => request.api === api).length;
    return { GetMedia: of('GetMedia'), GetDataEndpoint: of('GetDataEndpoint') };
  }
}
