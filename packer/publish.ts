import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const MANIFEST = join(import.meta.dirname, 'manifest.json');

/** The part of Packer's manifest that is used. */
interface Manifest {
  readonly builds: readonly {
    /** us-east-1:ami-1,eu-west-1:ami-2 */
    readonly artifact_id: string;
    readonly custom_data: { readonly architecture: string };
  }[];
}

// `npm run publish:image`: the stack takes the newest image of its architecture from there (cdk/stack.ts).
try {
  publishLastImage(process.argv[2] ?? MANIFEST);
} catch (error) {
  process.stderr.write(`publish:image: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

/** Writes the last build's image to Parameter Store, in each of its regions, with the AWS command line. */
function publishLastImage(manifest: string): void {
  const build = (JSON.parse(readFileSync(manifest, 'utf8')) as Manifest).builds.at(-1);
  if (build === undefined) throw new Error(`${manifest} has no build: run \`packer build packer\``);
  const name = `/integratord/ami/${build.custom_data.architecture}`;
  for (const each of build.artifact_id.split(',')) {
    const [region = '', image = ''] = each.split(':');
    if (!/^ami-[0-9a-f]+$/.test(image)) throw new Error(`${manifest} has no image in "${each}"`);
    // With this data type, Parameter Store checks that the image exists.
    const value = ['--type', 'String', '--data-type', 'aws:ec2:image', '--value', image, '--overwrite'];
    execFileSync('aws', ['ssm', 'put-parameter', '--region', region, '--name', name, ...value], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    process.stdout.write(`${region}: ${name} is ${image}\n`);
  }
}
