import packageJson from '../../package.json' with { type: 'json' };

/** The version that this is, as package.json has it; a bundle has it built in. */
export const VERSION: string = packageJson.version;
