import { createServer } from 'node:http';
import test from 'ava';
import { pageRelay } from '../../daemon/ctl/commands/page-relay.ts';
import { listening } from '../support/loopback.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { fakeFor } from './fake-for.ts';

test('a daemon that does not answer a browser within 10 s is reported as 502', async (t) => {
  const daemon = await fakeFor(t);
  daemon.instead.set('GET /v1/overview', new Promise(() => {}));
  const clock = new VirtualClock();
  const port = await listening(t, createServer(pageRelay(daemon.socketPath, clock)));
  const response = fetch(`http://127.0.0.1:${port}/v1/overview`);
  await daemon.received('GET /v1/overview');
  clock.forward(10_000);
  const { status } = await response;
  t.is(status, 502);
  t.like(await (await response).json(), { reason: 'daemon-not-running' });
});

test('a reader who opens the page while no daemon runs gets a page that retries by itself', async (t) => {
  const server = createServer(pageRelay('/nowhere/control.sock', new VirtualClock()));
  const url = `http://127.0.0.1:${await listening(t, server)}`;
  const page = await fetch(url);
  t.is(page.status, 502);
  t.is(page.headers.get('content-type'), 'text/html; charset=utf-8');
  const text = await page.text();
  t.regex(text, /<h1>integratord is not running<\/h1>/);
  t.regex(text, /http-equiv="refresh"/);
  t.like(await (await fetch(`${url}/v1/overview`)).json(), { reason: 'daemon-not-running' });
});
