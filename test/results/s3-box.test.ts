import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { s3Box } from '../../daemon/results/dead-letters/s3-box.ts';
import { listening } from '../support/loopback.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
const NO_ANSWER = { message: 'S3 did not respond within 10000 ms' };

/** A box whose bucket, or whose source of credentials, answers as `answer` does, in virtual time. */
async function boxAt(t: ExecutionContext, variable: string, answer: RequestListener) {
  const server = createServer(answer);
  const url = `http://127.0.0.1:${await listening(t, server)}`;
  for (const name of Object.keys(CREDENTIALS)) delete process.env[name];
  Object.assign(process.env, { AWS_ENDPOINT_URL_S3: url, [variable]: url });
  if (variable === 'AWS_ENDPOINT_URL_S3') Object.assign(process.env, CREDENTIALS);
  const clock = new VirtualClock();
  return { box: s3Box({ bucket: 'letters', prefix: '' }, 'us-east-1', clock), server, clock };
}

test.serial('a bucket that does not answer fails after 10 s, and says so', async (t) => {
  const { box, server, clock } = await boxAt(t, 'AWS_ENDPOINT_URL_S3', () => {});
  const attempts = [() => box.list(), () => box.read('x'), () => box.replace('x', Buffer.of(1)), () => box.remove('x')];
  for (const attempt of attempts) {
    const attempted = attempt();
    await once(server, 'request');
    await Promise.all([clock.advance(10_000), t.throwsAsync(attempted, NO_ANSWER)]);
  }
});

test.serial('so does one that stops in the middle of a letter', async (t) => {
  const { box, clock } = await boxAt(t, 'AWS_ENDPOINT_URL_S3', (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write('some of it');
    begun.resolve();
  });
  const begun = Promise.withResolvers<void>();
  const reading = box.read('x');
  await begun.promise;
  await Promise.all([clock.advance(10_000), t.throwsAsync(reading, NO_ANSWER)]);
});

test.serial('so does a source of credentials that does not answer', async (t) => {
  const { box, server, clock } = await boxAt(t, 'AWS_CONTAINER_CREDENTIALS_FULL_URI', () => {});
  const listed = box.list();
  await once(server, 'request');
  await Promise.all([clock.advance(10_000), t.throwsAsync(listed, NO_ANSWER)]);
});
