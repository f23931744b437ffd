/** The real `cdk` against moto, from bootstrap to removal: prints a transcript and TAP. Exits with 0 if all checks passed, 1
 *  if not, 2 without Python's moto. moto does not enforce termination protection, and stubs replace no instances. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { selfContained } from '../../../cdk/template.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CDK = join(ROOT, 'node_modules/.bin/cdk');
const EXIT_CANNOT_RUN = 2;
const ACCOUNT = '123456789012';
const SETTINGS = {
  connectInstanceArn: `arn:aws:connect:us-east-1:${ACCOUNT}:instance/12345678-1234-1234-1234-123456789012`,
  deepgramKeySecretArn: `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:deepgram-AbCdEf`,
};
const OLD_IMAGE = 'ami-00000000000000001';
const NEW_IMAGE = 'ami-00000000000000002';

if (spawnSync('python3', ['-c', 'import moto.moto_server']).status !== 0) {
  process.stderr.write("test:deploy: Python's moto with its server is missing: pip install 'moto[server]'\n");
  process.exit(EXIT_CANNOT_RUN);
}

const directory = mkdtempSync(join(tmpdir(), 'integratord-deploy-'));
const moto = spawn('python3', [join(import.meta.dirname, 'moto_with_stubs.py')], {
  stdio: ['ignore', 'pipe', 'ignore'],
});
let failed = 0;
try {
  await testAll(checkoutIn(directory), await listening());
} finally {
  moto.kill('SIGKILL');
  rmSync(directory, { recursive: true });
}
process.exit(failed > 0 ? 1 : 0);

async function testAll(checkout: string, endpoint: string): Promise<void> {
  const context = join(checkout, 'cdk/cdk.context.json');
  const cdk = (...args: string[]) => run(checkout, endpoint, args);
  // moto forgets the previous values of parameters that come from Parameter Store, and knows change sets too little.
  const forMoto = ['--no-previous-parameters', '--method', 'direct'];
  const deploy = (...args: string[]) => cdk('deploy', '--require-approval', 'never', ...forMoto, ...args);
  const image = (id: string) => ['-c', `amiId=${id}`];

  check('bootstrap', () => passes(cdk('bootstrap', `aws://${ACCOUNT}/us-east-1`), /bootstrapped/));
  check('a deployment without settings is refused by name, before it begins', () => {
    fails(deploy(), /missing a value: .*ConnectInstanceArn/);
    fails(deploy(...image(OLD_IMAGE)), /connectInstanceArn is not set: [\s\S]*deepgramKeySecretArn is not set: /);
  });
  writeFileSync(context, JSON.stringify(SETTINGS));
  check('deploy', () => passes(deploy(...image(OLD_IMAGE)), /✅ {2}integratord[\s\S]*RestoreSettings/));
  check('without a manifest of Packer, amiId=packer stops the command', () =>
    fails(deploy(...image('packer')), /manifest\.json cannot be read/),
  );
  check('the same again has no differences', () =>
    passes(cdk('diff', '--method', 'template', '--fail', ...image(OLD_IMAGE)), /no differences/i),
  );
  check('a new image from a checkout without the settings is refused, and changes nothing', () => {
    rmSync(context);
    fails(deploy(...image(NEW_IMAGE)), /connectInstanceArn is not set/);
    writeFileSync(context, JSON.stringify(SETTINGS));
    passes(cdk('diff', '--method', 'template', '--fail', ...image(OLD_IMAGE)), /no differences/i);
  });
  const hasAws = spawnSync('aws', ['--version']).status === 0;
  check(
    `a setting that is not in the file any more is refused by name${hasAws ? '' : ' # SKIP no command aws'}`,
    () => {
      if (!hasAws) return;
      writeFileSync(context, JSON.stringify({ ...SETTINGS, minInstances: 3 }));
      passes(deploy(...image(OLD_IMAGE)), /✅ {2}integratord/);
      rmSync(context);
      const withoutFile = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const lost = /minInstances is "3" in the deployed stack, and not set here/;
      fails(deploy(...withoutFile, ...image(NEW_IMAGE)), lost);
      writeFileSync(context, JSON.stringify(SETTINGS));
      const diff = ['diff', '--method', 'template', ...image(OLD_IMAGE)];
      fails(cdk(...diff), lost);
      passes(cdk(...diff, '--ignore-errors'), /MinSize/);
      passes(deploy(...image(OLD_IMAGE), '-c', 'minInstances=UNSET'), /✅ {2}integratord/);
      passes(cdk(...diff, '--fail'), /no differences/i);
    },
  );
  check('diff shows the new image', () =>
    fails(cdk('diff', '--method', 'template', '--fail', ...image(NEW_IMAGE)), new RegExp(NEW_IMAGE)),
  );
  check('update', () => {
    passes(deploy(...image(NEW_IMAGE)), /✅ {2}integratord/);
    passes(cdk('diff', '--method', 'template', '--fail', ...image(NEW_IMAGE)), /no differences/i);
  });
  const second = ['-c', 'stackName=integratord-2', ...image(NEW_IMAGE)];
  check('a second stack beside the first, with other settings', () =>
    passes(deploy(...second, '-c', 'receiver=on', '-c', 'minInstances=1'), /✅ {2}integratord-2[\s\S]*ReadTranscript/),
  );
  const alone = await createStack(endpoint, 'template-by-itself', selfContained({ ...SETTINGS, amiId: OLD_IMAGE }));
  check('the template of `npm run template`, without CDK', () => assert.match(alone, /<StackId>/));
  check('destroy, which needs none of the settings', () => {
    passes(cdk('destroy', '--force', ...second), /integratord-2: destroyed/);
    passes(cdk('destroy', '--force', ...image(NEW_IMAGE)), /integratord: destroyed/);
  });
}

/** As the CloudFormation console does it, apart from the bucket; returns the response. */
async function createStack(endpoint: string, name: string, template: object): Promise<string> {
  const body = {
    Action: 'CreateStack',
    Version: '2010-05-15',
    StackName: name,
    TemplateBody: JSON.stringify(template),
  };
  const scope = 'AKIDEXAMPLE/20260101/us-east-1/cloudformation/aws4_request';
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`;
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams(body),
  });
  return response.text();
}

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

/** Runs `cdk` as `npm run cdk` does, and prints command and output. */
function run(checkout: string, endpoint: string, args: readonly string[]): Ended {
  const env = {
    PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}`,
    HOME: directory,
    CI: '1',
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'no-secret',
    AWS_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const { status, stdout, stderr } = spawnSync(CDK, args, { cwd: join(checkout, 'cdk'), env, encoding: 'utf8' });
  const output = `${stdout}${stderr}`;
  const lines = output
    .split('\n')
    .filter((line) => line.trim() !== '' && !/Publish|Built|Building|current credentials/.test(line));
  process.stdout.write(`# $ cdk ${args.join(' ')}\n${lines.map((line) => `#   ${line.slice(0, 160)}\n`).join('')}`);
  return { status, output };
}

function passes({ status, output }: Ended, expected: RegExp): void {
  assert.equal(status, 0, output);
  assert.match(output, expected);
}

function fails({ status, output }: Ended, expected: RegExp): void {
  assert.notEqual(status, 0, output);
  assert.match(output, expected);
}

function check(name: string, body: () => void): void {
  try {
    body();
    process.stdout.write(`ok - ${name}\n`);
  } catch (error) {
    failed++;
    process.stdout.write(`not ok - ${name}\n${String(error).replace(/^/gm, '# ')}\n`);
  }
}

/** A checkout without a cdk.context.json. */
function checkoutIn(parent: string): string {
  const checkout = join(parent, 'checkout');
  for (const part of ['cdk', 'daemon', 'trigger', 'package.json', 'tsconfig.json']) {
    cpSync(join(ROOT, part), join(checkout, part), {
      recursive: true,
      filter: (source) => !source.endsWith('cdk.context.json'),
    });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
  assert.ok(!existsSync(join(checkout, 'cdk/cdk.context.json')));
  assert.ok(readFileSync(join(checkout, 'cdk/cdk.json'), 'utf8').includes('app.ts'));
  return checkout;
}

async function listening(): Promise<string> {
  for await (const line of createInterface({ input: moto.stdout })) {
    if (line.startsWith('{')) return (JSON.parse(line) as { listening: string }).listening;
  }
  throw new Error('moto ended before it listened');
}
