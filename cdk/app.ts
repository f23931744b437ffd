import { App } from 'aws-cdk-lib';
import { readSettings, type Settings, SettingsError } from './settings.ts';
import { IntegratordStack } from './stack.ts';

// The app in cdk.json: `npm run cdk -- deploy -c amiId=ami-…`. README.md lists the settings.
const app = new App();
const settings = settingsOrExit();
new IntegratordStack(app, settings.stackName, settings);
app.synth();

function settingsOrExit(): Settings {
  try {
    return readSettings(app.node.getAllContext(), {
      region: process.env['CDK_DEFAULT_REGION'],
      account: process.env['CDK_DEFAULT_ACCOUNT'],
    });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(error.lines.map((line) => `integratord: ${line}\n`).join(''));
    process.exit(1);
  }
}
