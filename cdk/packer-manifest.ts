import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const MANIFEST = join(import.meta.dirname, '../packer/manifest.json');

/** The manifest does not name an image. */
export class NoImage extends Error {
  override readonly name = 'NoImage';
}

/** The image that Packer built last, in `region` if that is known and the build copied it to several. Throws NoImage. */
export function lastImage(region: string | undefined, file = MANIFEST): string {
  const [id, ...others] = imagesOf(file).filter((image) => region === undefined || image.region === region);
  if (id === undefined) throw new NoImage(`amiId is \`packer\`, but ${file} has no image in ${region ?? 'any region'}`);
  if (others.length > 0)
    throw new NoImage(`amiId is \`packer\`, and ${file} has images in several regions: set AWS_REGION`);
  return id.ami;
}

/** From an artifact id of the form us-east-1:ami-1,eu-west-1:ami-2. */
function imagesOf(file: string): { region: string | undefined; ami: string }[] {
  try {
    const { builds } = JSON.parse(readFileSync(file, 'utf8')) as { builds: { artifact_id: string }[] };
    return (builds.at(-1)?.artifact_id ?? '').split(',').flatMap((each) => {
      const [region, ami] = each.split(':');
      return ami === undefined ? [] : [{ region, ami }];
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NoImage(
      `amiId is \`packer\`, but packer/manifest.json cannot be read (${why}): run \`packer build packer\``,
    );
  }
}
