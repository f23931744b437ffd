import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** Errors of Kinesis Video's APIs and their HTTP status (daemon/kinesis/README.md; the SDK's schemas). */
export const AWS_ERRORS = {
  MissingAuthenticationTokenException: 403,
  InvalidSignatureException: 403,
  ResourceNotFoundException: 404,
  NotAuthorizedException: 401,
  InvalidArgumentException: 400,
  InvalidEndpointException: 400,
  ClientLimitExceededException: 400,
  ConnectionLimitExceededException: 400,
  // AWS' common errors, which the next attempt may not meet.
  ExpiredTokenException: 403,
  RequestTimeTooSkewed: 403,
  UnrecognizedClientException: 403,
  RequestExpired: 400,
  TooManyRequestsException: 429,
} as const;

/** An error response of AWS. */
export class AwsError extends Error {
  override readonly name: keyof typeof AWS_ERRORS;

  constructor(name: keyof typeof AWS_ERRORS, message: string) {
    super(message);
    this.name = name;
  }

  get status(): number {
    return AWS_ERRORS[this.name];
  }
}

/** Headers of every AWS response. */
export function awsHeaders(): Record<string, string> {
  return { 'x-amzn-requestid': randomUUID(), date: new Date().toUTCString() };
}

/** Sends an error of AWS's REST-JSON protocol: the name in a header, the message in the body. */
export function sendAwsError(response: ServerResponse, error: AwsError): void {
  response.writeHead(error.status, {
    ...awsHeaders(),
    'content-type': 'application/json',
    'x-amzn-errortype': error.name,
  });
  response.end(JSON.stringify({ Message: error.message }));
}
