import { join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';

const SOURCES = join(import.meta.dirname, '..', 'trigger');

/** The trigger as one file, bundled here: neither Docker nor a network is needed. Throws when it does not build. */
export function bundledTrigger(): Code {
  return Code.fromAsset(SOURCES, {
    // Of what comes out: what is not in the bundle changes nothing.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // CDK wants one for when the local bundler gives up, which ours never does.
      image: DockerImage.fromRegistry('none'),
      local: {
        tryBundle(outputDir) {
          bundleInto(outputDir);
          return true;
        },
      },
    },
  });
}

/** Writes index.mjs, whose export `handler` is the function. */
export function bundleInto(directory: string): void {
  buildSync({
    entryPoints: [join(SOURCES, 'handler.ts')],
    outfile: join(directory, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Packages that are CommonJS within ask for Node's own modules by require.
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    minifySyntax: true,
    legalComments: 'inline',
    logLevel: 'error',
  });
}
