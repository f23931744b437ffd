import { App } from 'aws-cdk-lib';
import { lastImage, NoImage } from './packer-manifest.ts';
import { readSettings, type Settings, SettingsError, withRegion } from './settings.ts';
import { IntegratordStack } from './stack.ts';

// The app in cdk.json: `npm run cdk -- deploy -c amiId=ami-…`. README.md lists the settings.
const app = new App();
const settings = settingsOrExit();
new IntegratordStack(app, settings.stackName, settings);
app.synth();

function settingsOrExit(): Settings {
  try {
    const region = process.env['CDK_DEFAULT_REGION'] ?? process.env['AWS_REGION'];
    const context: Record<string, unknown> = { ...withRegion(app.node.getAllContext(), region) };
    if (context['amiId'] === 'packer') context['amiId'] = lastImage(region);
    return readSettings(context, { region, account: process.env['CDK_DEFAULT_ACCOUNT'] });
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof NoImage)) throw error;
    const lines = error instanceof SettingsError ? error.lines : [error.message];
    process.stderr.write(lines.map((line) => `integratord: ${line}\n`).join(''));
    process.exit(1);
  }
}
