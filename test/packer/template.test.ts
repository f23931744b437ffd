import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ROOT_GIB } from '../../cdk/launch.ts';
import { type Block, PACKER, readTemplate, split, templateFiles } from './template.ts';

const template = await readTemplate();
const source = template['source']['amazon-ebs'].integratord[0] as Block;
const [build, ...otherBuilds] = template['build'] as [Block, ...Block[]];
const { file: uploads, shell: shells, ...otherSteps } = build['provisioner'] as Record<string, Block[]>;
const commands = (shells ?? []).flatMap(({ inline }) => inline as string[]);
const at = (command: string | RegExp) => commands.findIndex((each) => each.match(command));

test('a current HCL parser reads every file of the template, which builds one image', (t) => {
  t.deepEqual(Object.keys(template['source']), ['amazon-ebs']);
  t.deepEqual(build['sources'], ['source.amazon-ebs.integratord']);
  t.is(otherBuilds.length, 0);
});

test('the image and its build instance allow only IMDSv2, with one hop', (t) => {
  t.is(source['imds_support'], 'v2.0');
  t.deepEqual(source['metadata_options'], [
    { http_endpoint: 'enabled', http_tokens: 'required', http_put_response_hop_limit: 1 },
  ]);
});

test('every volume is encrypted, with a configurable key', (t) => {
  t.false('ami_block_device_mappings' in source);
  t.is(source['launch_block_device_mappings'].length, 1);
  t.like(source['launch_block_device_mappings'][0], { encrypted: true, kms_key_id: `\${var.kms_key_id}` });
  t.deepEqual(template['variable'].kms_key_id[0].default, '');
});

test("the image's volume cannot be larger than that of the stack's instances, which EC2 would not launch", (t) => {
  const [{ condition } = { condition: '' }] = template['variable'].root_volume_gib[0].validation as Block[];
  t.is(condition, `\${var.root_volume_gib >= 8 && var.root_volume_gib <= ${ROOT_GIB}}`);
});

test("the source image is Amazon's own newest Amazon Linux 2023 of the architecture", (t) => {
  const [filter] = source['source_ami_filter'] as Block[];
  t.deepEqual(filter?.['owners'], ['amazon']);
  t.true(filter?.['most_recent']);
  t.like(filter?.['filters'], {
    name: `al2023-ami-2023.*-kernel-\${var.kernel}-\${var.architecture}`,
    architecture: `\${var.architecture}`,
    'root-device-type': 'ebs',
  });
  t.false('source_ami' in source);
});

test('the architecture is arm64 by default, and determines release and instance type', (t) => {
  t.is(template['variable'].architecture[0].default, 'arm64');
  const { node_architecture, build_instance, tarball } = template['locals'][0] as Record<string, string>;
  t.is(node_architecture, `\${{ arm64 = "arm64", x86_64 = "x64" }[var.architecture]}`);
  t.is(build_instance, `\${{ arm64 = "t4g.small", x86_64 = "t3.small" }[var.architecture]}`);
  t.is(tarball, `integratord-\${local.version}-linux-\${local.node_architecture}.tar.gz`);
});

test('the image is private to the account and the region, unless a variable says otherwise', (t) => {
  t.is(source['ami_regions'], `\${var.ami_regions}`);
  t.is(source['ami_users'], `\${var.ami_users}`);
  for (const name of ['ami_regions', 'ami_users']) t.deepEqual(template['variable'][name][0].default, []);
});

test('the template contains nothing secret: no credential, no user data, no public image, no variable without a default', (t) => {
  for (const name of ['access_key', 'secret_key', 'token', 'user_data', 'user_data_file', 'ami_groups']) {
    t.false(name in source, name);
  }
  t.notRegex(JSON.stringify(template), /A[KS]IA[0-9A-Z]{16}|PRIVATE KEY|_SECRET|API_KEY|password/i);
  for (const [name, [variable]] of Object.entries<Block[]>(template['variable'])) {
    t.true(variable !== undefined && 'default' in variable, name);
  }
});

test('the ssh port is open only to the builder, and the key is created for the build', (t) => {
  t.is(source['temporary_security_group_source_public_ip'], `\${var.ssh_interface == "public_ip"}`);
  t.is(source['temporary_key_pair_type'], 'ed25519');
  t.false('ssh_keypair_name' in source || 'ssh_private_key_file' in source);
});

test('the steps are: install the release, configure, test directly and under systemd, clean up last', (t) => {
  const order = [/packages\.sh$/, /release\/install\.sh$/, /configure\.sh$/, /self-test\.sh$/, /self-test\.sh --unit$/];
  const places = order.map(at);
  t.true(places[0] !== undefined && places[0] >= 0);
  t.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  t.is(at(/clean-up\.sh$/), commands.length - 1);
  t.deepEqual(Object.keys(otherSteps), []);
  t.deepEqual(
    uploads?.map(({ source }) => source),
    [`\${local.release}`, `\${path.root}/image`],
  );
});

test('a failing step ends the build', (t) => {
  for (const shell of shells ?? []) {
    t.is(shell['execute_command'], "sudo sh -eu '{{ .Path }}'");
    t.false('valid_exit_codes' in shell || 'on_error' in shell);
  }
  for (const command of commands) t.notRegex(command, /\|\||;|&$|\|/);
});

test("the only post-processor writes the manifest with the image's id", (t) => {
  t.deepEqual(Object.keys(build['post-processor']), ['manifest']);
  t.is(build['post-processor'].manifest.length, 1);
  t.is(build['post-processor'].manifest[0].output, `\${path.root}/manifest.json`);
});

test('only the plugins and these arguments of the source are newer than Packer 1.6', async (t) => {
  for (const name of await templateFiles()) {
    const { newer } = split(await readFile(join(PACKER, name), 'utf8'));
    const names = [...newer.matchAll(/^ {2}(\w+) *[={]/gm)].map(([, argument]) => argument);
    const known = ['imds_support', 'temporary_key_pair_type', 'temporary_security_group_source_public_ip'];
    t.deepEqual(names, name === 'source.pkr.hcl' ? [...known, 'metadata_options'] : [], name);
  }
  t.deepEqual(Object.keys(template['packer'][0].required_plugins[0]), ['amazon']);
});

test('the README has every variable, with its default', async (t) => {
  const rows = (await readFile(join(PACKER, 'README.md'), 'utf8')).matchAll(/^\| ((?:`\w+`(?:, )?)+) \| (.*?) \|/gm);
  const documented = new Map(
    [...rows].flatMap(([, names, text]) => names?.match(/\w+/g)?.map((name) => [name, text]) ?? []),
  );
  t.deepEqual([...documented.keys()].sort(), Object.keys(template['variable']).sort());
  for (const [name, [variable]] of Object.entries<Block[]>(template['variable'])) {
    const plain = /^\w[\w.]*$/.test(String(variable?.['default']));
    if (plain) t.is(documented.get(name), `\`${variable?.['default']}\``, name);
  }
});
