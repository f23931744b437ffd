import { Annotations, App } from 'aws-cdk-lib';
import { deployedSettings, lostSettings } from './deployed-settings.ts';
import { lastImage, NoImage } from './packer-manifest.ts';
import type { Place } from './place.ts';
import { readSettings, type Settings, SettingsError, withRegion } from './settings.ts';
import { IntegratordStack } from './stack.ts';

// The app in cdk.json: `npm run cdk -- deploy -c amiId=ami-…`. README.md lists the settings.
const app = new App();
const region = process.env['CDK_DEFAULT_REGION'] ?? process.env['AWS_REGION'];
// CDK's command line sets it when it found credentials.
const account = process.env['CDK_DEFAULT_ACCOUNT'];
const { settings, context } = settingsOrExit({ region, account });
const stack = new IntegratordStack(app, settings.stackName, settings);
if (region !== undefined && account !== undefined) compareWithDeployed({ region, account });
app.synth();

function settingsOrExit(place: Place): { settings: Settings; context: Readonly<Record<string, unknown>> } {
  try {
    const context: Record<string, unknown> = { ...withRegion(app.node.getAllContext(), place.region) };
    if (context['amiId'] === 'packer') context['amiId'] = lastImage(place.region);
    return { settings: readSettings(context, place), context };
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof NoImage)) throw error;
    const lines = error instanceof SettingsError ? error.lines : [error.message];
    process.stderr.write(lines.map((line) => `integratord: ${line}\n`).join(''));
    process.exit(1);
  }
}

/** CDK's command line refuses `deploy` and `diff` of a stack with an error, unless `--ignore-errors` is given. */
function compareWithDeployed(place: { region: string; account: string }): void {
  const deployed = deployedSettings({ stackName: settings.stackName, ...place });
  if (deployed.kind === 'settings') {
    for (const line of lostSettings(deployed.settings, context)) Annotations.of(stack).addError(line);
  }
  if (deployed.kind === 'unknown') {
    const what = 'The settings of the deployed stack cannot be read, so a lost one goes unnoticed';
    Annotations.of(stack).addWarningV2('integratord:deployed-settings', `${what}: ${deployed.why}`);
  }
}
