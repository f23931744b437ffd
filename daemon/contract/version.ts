import packageJson from '../../package.json' with { type: 'json' };

/** The version in package.json; bundling builds it in. */
export const VERSION: string = packageJson.version;
