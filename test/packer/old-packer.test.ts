import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import anyTest from 'ava';
import { lastImage } from '../../cdk/packer-manifest.ts';
import { needs } from '../support/tools.ts';
import { temporaryDirectory } from './directory.ts';
import { attempt, CHECKOUT } from './program.ts';
import { type Block, PACKER, projectForOldPacker } from './template.ts';

const test = needs(anyTest, 'packer');
/** Debian's Packer includes the Amazon builder of its time: it needs no plugin, and no network. */
const packer = (...args: string[]) => attempt('packer', args, { PACKER_LOG: '0', HOME: '/nonexistent' });

test('the template is formatted as `packer fmt` does it', async (t) => {
  const { code, stdout, stderr } = await packer('fmt', '-check', '-diff', PACKER);
  t.is(code, 0, stdout + stderr);
});

for (const [what, ...variables] of [
  ['with its defaults'],
  ['for x86_64', 'architecture=x86_64'],
  ['with a key of your own', 'region=eu-central-1', 'kms_key_id=alias/images'],
  ['through Session Manager', 'ssh_interface=session_manager', 'iam_instance_profile=build', 'subnet_id=subnet-1'],
] as const) {
  test(`the template is valid ${what}`, async (t) => {
    const template = await projectForOldPacker(await temporaryDirectory(t));
    const { code, stdout, stderr } = await packer('validate', ...variables.flatMap((each) => ['-var', each]), template);
    t.is(code, 0, stdout + stderr);
  });
}

for (const [what, variable, reason] of [
  ['an unsupported architecture', 'architecture=riscv64', /must be arm64 or x86_64/],
  ['an unknown ssh_interface', 'ssh_interface=public', /must be public_ip, private_ip or session_manager/],
  ['a volume larger than that of instances', 'root_volume_gib=21', /root_volume_gib must be from 8, .* to 20, /s],
  ['a volume smaller than the source image', 'root_volume_gib=7', /root_volume_gib must be from 8, /],
  ['a missing release', 'release=/nonexistent.tar.gz', /Bad source '\/nonexistent\.tar\.gz'/],
  ['Session Manager without an instance profile', 'ssh_interface=session_manager', /no iam_instance_profile/],
] as const) {
  test(`the template refuses ${what}`, async (t) => {
    const template = await projectForOldPacker(await temporaryDirectory(t));
    const { code, stdout, stderr } = await packer('validate', '-var', variable, template);
    t.is(code, 1);
    t.regex(stdout + stderr, reason);
  });
}

test("a build writes the manifest, from which the stack takes the image's id", async (t) => {
  const template = await projectForOldPacker(await temporaryDirectory(t));
  await replaceSourceByNull(template);
  const built = await packer('build', template);
  t.is(built.code, 0, built.stdout + built.stderr);

  const path = join(template, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as { builds: Block[] };
  t.is(manifest.builds.length, 1);
  const { version } = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8'));
  t.deepEqual(manifest.builds[0]?.['custom_data'], { version, architecture: 'arm64' });

  // The Amazon builder's artifact is REGION:AMI; earlier entries are of earlier builds.
  const ofAmazon = (ami: string) => ({ ...manifest.builds[0], artifact_id: `us-east-1:${ami}` });
  await writeFile(path, JSON.stringify({ ...manifest, builds: [ofAmazon('ami-01'), ofAmazon('ami-02')] }));
  t.is(lastImage('us-east-1', path), 'ami-02');
});

/** Replaces the template's source by one without an instance, on which nothing runs. */
async function replaceSourceByNull(template: string): Promise<void> {
  const path = join(template, 'build.pkr.hcl');
  const text = await readFile(path, 'utf8');
  const withoutSteps = text.replaceAll(/^ {2}(#.*\n {2})*provisioner "\w+" \{\n[\s\S]*?^ {2}\}\n/gm, '');
  await writeFile(path, withoutSteps.replace('source.amazon-ebs.integratord', 'source.null.nothing'));
  await writeFile(
    join(template, 'source-of-the-test.pkr.hcl'),
    'source "null" "nothing" {\n  communicator = "none"\n}\n',
  );
}
