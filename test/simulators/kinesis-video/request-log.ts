/** How a GetMedia body came to its end. */
export type BodyEnd = 'idle' | 'age' | 'not-found' | 'fault' | 'client';

/** One AWS request as it was answered. */
export interface AwsRequest {
  readonly api: 'GetMedia' | 'GetDataEndpoint';
  readonly atMs: number;
  /** Name or ARN as the request gave it. */
  stream?: string;
  selector?: unknown;
  /** Missing as long as there is no answer. */
  status?: number;
  error?: string;
  /** Of a GetMedia: fragments sent to their end, bytes of the body so far, and how it ended once it has. */
  fragments?: number;
  bytes?: number;
  endedBy?: BodyEnd;
}

/** All AWS requests, in the order of their arrival. */
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
