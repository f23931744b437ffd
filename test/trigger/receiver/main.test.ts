import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MAX_BODY_BYTES } from '../../../trigger/receiver/receiver.ts';
import { ended, final, numbered, started } from '../../results/events-of-a-call.ts';
import { Program } from '../../support/process.ts';
import { signedPost } from './signed-post.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const CALL = numbered([started(), final('AGENT', 0, 'hello'), final('CUSTOMER', 900, 'guten Tag, Müller'), ended()], {
  sessionId: randomUUID(),
  contactId: randomUUID(),
});

async function receiver(t: ExecutionContext, secret = SECRET, more: readonly string[] = []) {
  const directory = await mkdtemp(join(tmpdir(), 'receiver-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const [secretFile, tokenFile] = [join(directory, 'secret'), join(directory, 'token')];
  await writeFile(secretFile, `${secret}\n`);
  await writeFile(tokenFile, 'a-token\n');
  const args = ['--port', '0', '--secret-file', secretFile, '--token-file', tokenFile];
  const program = new Program('trigger/receiver/main.ts', [...args, '--directory', join(directory, 'kept'), ...more]);
  t.teardown(() => program.stop());
  return { program, kept: join(directory, 'kept') };
}

test('run by Node, it keeps signed requests and serves the transcript', async (t) => {
  const { program, kept } = await receiver(t);
  const url = await program.listening();
  const post = ({ body, headers }: ReturnType<typeof signedPost>) => fetch(url, { method: 'POST', body, headers });
  t.is((await post(signedPost(CALL.slice(0, 2), SECRET, Date.now()))).status, 204);
  t.is((await post(signedPost(CALL.slice(2), SECRET, Date.now()))).status, 204);
  const tampered = signedPost(CALL, SECRET, Date.now());
  t.is((await post({ ...tampered, body: tampered.body.replace('hello', 'hallo') })).status, 401);

  const contactId = CALL[0]?.contactId ?? '';
  const read = (authorization: string) => fetch(`${url}/calls/${contactId}?any=query`, { headers: { authorization } });
  t.is((await read('Bearer wrong')).status, 401);
  const { sessions } = (await (await read('Bearer a-token')).json()) as { sessions: { lines: { text: string }[] }[] };
  t.deepEqual(
    sessions[0]?.lines.map(({ text }) => text),
    ['hello', 'guten Tag, Müller'],
  );

  const directory = join(kept, 'calls', contactId);
  const names = await readdir(directory);
  t.is(names.length, 2);
  for (const name of names) t.is((await stat(join(directory, name))).mode & 0o077, 0, 'only for this user');
});

test('run by Node, it refuses a body that is too large', async (t) => {
  const { program } = await receiver(t);
  const body = Buffer.alloc(MAX_BODY_BYTES + 1);
  // The connection may break before the response is read, because the rest of the body is not.
  const status = await fetch(await program.listening(), { method: 'POST', body }).then(
    (response) => response.status,
    () => 413,
  );
  t.is(status, 413);
  t.is((await fetch(`${await program.listening()}/`)).status, 404, 'it is still there');
});

test('run by Node, it does not start with a secret that cannot sign', async (t) => {
  const { program } = await receiver(t, 'whsec_short');
  await t.throwsAsync(program.listening());
  t.false(program.stderr.includes('whsec_short'));
});

for (const [what, args, says] of [
  ['a secret file that does not exist', ['--secret-file', '/none'], /^receiver: ENOENT.*'\/none'\n$/],
  ['an empty token file', ['--token-file', '/dev/null'], /^receiver: \/dev\/null is empty\n$/],
  ['an invalid port', ['--port', '99999'], /^error: option '--port <number>' argument '99999' is invalid.*\n$/],
  ['an address of another machine', ['--host', '192.0.2.1'], /^receiver: cannot listen on 192\.0\.2\.1:0: .*\n$/],
] as const) {
  test(`run by Node with ${what}, it says so in a line`, async (t) => {
    const { program } = await receiver(t, SECRET, args);
    await t.throwsAsync(program.listening());
    t.regex(program.stderr, says);
  });
}
