import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** The errors of Kinesis Video's two APIs that we play, with their HTTP status (daemon/kinesis/README.md; the SDK's schemas). */
export const AWS_ERRORS = {
  MissingAuthenticationTokenException: 403,
  InvalidSignatureException: 403,
  ResourceNotFoundException: 404,
  NotAuthorizedException: 401,
  InvalidArgumentException: 400,
  InvalidEndpointException: 400,
  ClientLimitExceededException: 400,
  ConnectionLimitExceededException: 400,
} as const;

/** A request that AWS would refuse. */
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

/** The headers that AWS puts on every answer. */
export function awsHeaders(): Record<string, string> {
  return { 'x-amzn-requestid': randomUUID(), date: new Date().toUTCString() };
}

/** Answers as AWS's REST-JSON services do: the name in a header, the message in the body. */
export function sendAwsError(response: ServerResponse, error: AwsError): void {
  response.writeHead(error.status, {
    ...awsHeaders(),
    'content-type': 'application/json',
    'x-amzn-errortype': error.name,
  });
  response.end(JSON.stringify({ Message: error.message }));
}
