import { Aws, CfnParameter, type CfnParameterProps, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { InstanceArchitecture, InstanceType } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { AlarmTopic } from './alarm-topic.ts';
import { Alarms } from './alarms.ts';
import { Dashboard } from './dashboard.ts';
import { Fleet } from './fleet.ts';
import { InstanceRole } from './instance-role.ts';
import { LoadBalancer } from './load-balancer.ts';
import { Logs } from './logs.ts';
import { Network } from './network.ts';
import { addOutputs } from './next-steps.ts';
import { INSTANCE_PORT } from './ports.ts';
import { PrivateLink } from './private-link.ts';
import { Results } from './results.ts';
import { rollOutWithStack } from './roll-out.ts';
import { Secrets } from './secrets.ts';
import { CONNECT_ARN, SECRET_ARN } from './setting-rules.ts';
import type { Settings } from './settings.ts';
import { HEALTH_LAG } from './timing.ts';
import { Trigger, triggerLevel } from './trigger.ts';
import { userDataWith } from './user-data.ts';

/**
 * W3005: a dependency on a whole construct repeats some implicit dependencies, which is harmless. E3016: cfn-lint 1.51 is
 * older than AutoScalingInstanceRefresh, which CDK has since 2.263; test/cdk/stack.test.ts checks it with CDK's schemas.
 * W3010: `availabilityZones` names zones.
 */
const FOR_CFN_LINT = { 'cfn-lint': { config: { ignore_checks: ['W3005', 'E3016', 'W3010'] } } };

/** Everything that integratord needs to transcribe the calls of one Connect instance in one region. */
export class IntegratordStack extends Stack {
  readonly logs: Logs;
  readonly loadBalancer: LoadBalancer;
  readonly trigger: Trigger;
  readonly fleet: Fleet;
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, settings: Settings, props: Pick<StackProps, 'synthesizer'> = {}) {
    super(scope, id, {
      ...props,
      description: 'integratord: real-time transcription of Amazon Connect calls with Deepgram',
      // README.md, "Removing it".
      terminationProtection: true,
    });
    this.templateOptions.metadata = FOR_CFN_LINT;
    const network = this.#network(settings);
    const secrets = new Secrets(this, 'Secrets', {
      deepgramKeyArn: settings.deepgramKeySecretArn ?? this.#parameter('DeepgramKeySecretArn', DEEPGRAM_KEY),
    });
    this.logs = new Logs(this, 'Logs', { retention: settings.logRetentionDays });
    this.loadBalancer = new LoadBalancer(this, 'LoadBalancer', { network });
    this.trigger = new Trigger(this, 'Trigger', {
      network,
      secret: secrets.trigger,
      logGroup: this.logs.trigger,
      logLevel: settings.logLevel,
      integratorDomain: this.loadBalancer.domain,
    });
    const results = new Results(this, 'Results', { ...settings, logLevel: triggerLevel(settings.logLevel) });
    this.fleet = this.#fleet(settings, network, secrets, results);
    this.loadBalancer.acceptStartsFrom(this.trigger);
    this.loadBalancer.forwardTo(this.fleet.group);
    const connectInstances = settings.connectInstanceArn ?? [this.#parameter('ConnectInstanceArn', CONNECT_INSTANCE)];
    for (const arn of connectInstances) this.trigger.allowInvocationBy(arn);
    if (settings.privateLink === 'on' || network.hasPublicAddresses) {
      const privateLink = new PrivateLink(this, 'PrivateLink', {
        network,
        extent: settings.privateLink === 'on' ? 'all' : 'trigger',
        writesToStream: results.writesToStream,
        usesS3: results.usesS3,
      });
      privateLink.allowFrom(this.trigger);
      privateLink.allowFrom(this.fleet.group);
      // The first instance reads its secrets at start.
      this.fleet.group.node.addDependency(privateLink);
    }
    this.dashboard = this.#monitoring(settings, connectInstances);
    // A newer trigger may send what only newer daemons know, so it waits for them.
    this.trigger.function.node.addDependency(this.fleet.group);
    const { fleet, loadBalancer, logs, trigger, dashboard } = this;
    addOutputs(this, { settings, secrets, fleet, loadBalancer, logs, trigger, dashboard });
  }

  /** Alarms and dashboard. */
  #monitoring(
    { alarmEmail, noStartsCalls, targetCapacityPercent, rollOut }: Settings,
    connectInstanceArns: readonly string[],
  ): Dashboard {
    const { loadBalancer, fleet } = this;
    const trigger = this.trigger.function;
    const ofTrigger = { trigger, logGroup: this.logs.trigger, connectInstanceArns, noStartsCalls };
    const topic =
      alarmEmail === undefined ? undefined : new AlarmTopic(this, 'AlarmTopic', { email: alarmEmail }).topic;
    const alarms = new Alarms(this, 'Alarms', { loadBalancer, group: fleet.group, topic, ...ofTrigger });
    rollOutWithStack(fleet.group, { mode: rollOut, alarms: alarms.ofRollOut });
    return new Dashboard(this, 'Overview', {
      alarms: alarms.all,
      loadBalancer,
      group: fleet.group,
      targetCapacityPercent,
      trigger,
      connectInstanceArns,
    });
  }

  #network({ vpcId, subnetIds, availabilityZones, profile, natGateways, logRetentionDays }: Settings): Network {
    if (vpcId !== undefined && subnetIds !== undefined) return Network.existing(this, 'Network', vpcId, subnetIds);
    return Network.create(this, 'Network', {
      availabilityZones,
      publicAddresses: profile === 'small',
      natGateways,
      logRetention: logRetentionDays,
    });
  }

  #fleet(settings: Settings, network: Network, secrets: Secrets, results: Results): Fleet {
    const drainDeadline = Duration.minutes(settings.drainDeadlineMinutes);
    const { role } = new InstanceRole(this, 'InstanceRole', {
      secretArns: [secrets.deepgramKey.secretArn, secrets.trigger.secretArn, ...results.secretArns],
      secretsKmsKeyArn: settings.deepgramKeySecretKmsKeyArn,
      streamPrefix: settings.streamPrefix,
      streamsKmsKeyArn: settings.streamsKmsKeyArn,
      logGroup: this.logs.fleet,
      results,
    });
    const daemonSettings = {
      ...settings.daemonSettings,
      AWS_REGION: Aws.REGION,
      DEEPGRAM_API: settings.deepgramApi,
      DEEPGRAM_API_KEY_SECRET_ARN: secrets.deepgramKey.secretArn,
      TRIGGER_SECRET_ARN: secrets.trigger.secretArn,
      PORT: String(INSTANCE_PORT),
      MAX_SESSIONS: String(settings.sessionsPerInstance),
      HEALTH_LAG_MS: String(HEALTH_LAG.toMilliseconds()),
      DRAIN_DEADLINE_MS: String(drainDeadline.toMilliseconds()),
      LOG_LEVEL: settings.logLevel,
      METRICS_STACK: Aws.STACK_NAME,
      ...(settings.httpsProxy === undefined ? {} : { HTTPS_PROXY: settings.httpsProxy }),
      ...(settings.noProxy === undefined ? {} : { NO_PROXY: settings.noProxy }),
      ...results.daemonSettings,
    };
    return new Fleet(this, 'Fleet', {
      network,
      imageId: settings.amiId ?? this.#parameter('AmiId', imageFor(settings.instanceTypes)),
      instanceTypes: settings.instanceTypes,
      role,
      userData: userDataWith(daemonSettings, this.logs.fleet.logGroupName),
      size: { min: settings.minInstances, max: settings.maxInstances, desired: settings.desiredInstances },
      spotPercent: settings.spotPercent,
      onDemandBase: settings.onDemandBase,
      targetCapacityPercent: settings.targetCapacityPercent,
      drainDeadline,
      ports: [
        ...[settings.deepgramApi, settings.httpsProxy].filter((url) => url !== undefined).map(portOf),
        ...(results.webhookPort === undefined ? [] : [results.webhookPort]),
      ],
      logGroup: this.logs.deployment,
    });
  }

  /** What a deployment must know and the settings do not say; without a value CloudFormation refuses it by name. */
  #parameter(name: string, props: CfnParameterProps): string {
    return new CfnParameter(this, name, props).valueAsString;
  }
}

const CONNECT_INSTANCE: CfnParameterProps = {
  description: 'ARN of the Connect instance that may invoke the trigger; or set connectInstanceArn in cdk.context.json',
  allowedPattern: CONNECT_ARN.source,
};

const DEEPGRAM_KEY: CfnParameterProps = {
  description: "ARN of the secret with Deepgram's key; or set deepgramKeySecretArn in cdk.context.json",
  allowedPattern: SECRET_ARN.source,
  // Not a secret, but CloudFormation's rules take it for one by its name.
  noEcho: true,
};

/** The newest image, whose id the Packer build keeps in Parameter Store (packer/README.md). */
function imageFor([instanceType = '']: readonly string[]): CfnParameterProps {
  const isArm = new InstanceType(instanceType).architecture === InstanceArchitecture.ARM_64;
  return {
    type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
    default: `/integratord/ami/${isArm ? 'arm64' : 'x86_64'}`,
    description: 'The SSM parameter with the image built by Packer; or set the image with -c amiId=ami-…',
  };
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  if (port !== '') return Number(port);
  return /^(wss|https):$/.test(protocol) ? 443 : 80;
}
