/** The examples of daemon/results/README.md that verify a request, as they stand there. */
import { spawnSync } from 'node:child_process';
import { createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { bodyOf, signatureHeaders } from '../../daemon/results/webhook/standard-webhooks.ts';
import { needs } from '../support/tools.ts';

const README = readFileSync('daemon/results/README.md', 'utf8');
const KEYS = [Buffer.alloc(64, 'the one before'), Buffer.alloc(32, 'the new one')];

function example(language: string): string {
  const code = new RegExp(`^\`\`\`${language}\n(?<code>[^]*?)^\`\`\`$`, 'm').exec(README)?.groups?.['code'];
  if (code === undefined) throw new Error(`no example in ${language}`);
  return code;
}

/** A request as a consumer gets it while the secret changes. */
function signedRequest() {
  const json = Buffer.from('{"type":"transcript","text":"Grüße, 5 €"}');
  const session = { sessionId: 'session-1', contactId: 'contact-1', contact: undefined, webhook: undefined };
  const events = [{ sequence: 1, type: 'transcript', json }];
  const id = 'session-1_1_1-1';
  const body = bodyOf({ session: { ...session, stream: 'none' }, epoch: 1, id, events }, Date.now());
  return {
    body,
    headers: signatureHeaders(
      id,
      body,
      KEYS.map((key) => createSecretKey(key)),
      Date.now(),
    ),
  };
}

/** Runs the JavaScript example on a request's body. */
function verifyInJavaScript(body: Buffer, headers: Record<string, string>) {
  const script = `
    const [rawBody, request] = [Buffer.from(process.argv[1], 'base64').toString(), { headers: JSON.parse(process.argv[2]) }];
    ${example('js').replace("'standardwebhooks'", JSON.stringify(pathToFileURL('node_modules/standardwebhooks/dist/index.js')))}
    console.log(data.events[0].text);`;
  const args = ['--input-type=module', '--eval', script, '--', body.toString('base64'), JSON.stringify(headers)];
  const env = { RESULTS_SECRET: `whsec_${KEYS[1]?.toString('base64')}` };
  return spawnSync(process.execPath, args, { env, encoding: 'utf8' });
}

test('the JavaScript example verifies our requests, and refuses one with another byte', (t) => {
  const { body, headers } = signedRequest();
  const verified = verifyInJavaScript(body, headers);
  t.is(verified.stdout, 'Grüße, 5 €\n', verified.stderr);
  const changed = Buffer.from(body.toString().replace('5', '6'));
  const refused = verifyInJavaScript(changed, headers);
  t.not(refused.status, 0);
  t.regex(refused.stderr, /WebhookVerificationError/);
});

needs(test, 'python3')('the Python example compiles', (t) => {
  const { status, stderr } = spawnSync('python3', ['-c', 'compile(open(0).read(), "example", "exec")'], {
    input: example('python'),
    encoding: 'utf8',
  });
  t.is(status, 0, stderr);
});

needs(test, 'ruby')('the Ruby example compiles', (t) => {
  const { status, stderr } = spawnSync('ruby', ['-wc'], { input: example('ruby'), encoding: 'utf8' });
  t.is(status, 0, stderr);
});
