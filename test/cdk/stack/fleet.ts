import test from 'ava';
import { Duration } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { heartbeatTimeout } from '../../../cdk/timing.ts';
import { AMI_ID, propertiesOf, stackOf, synthesized } from '../synthesized.ts';

const template = synthesized();
const GROUP = 'AWS::AutoScaling::AutoScalingGroup';
const LAUNCH = 'AWS::EC2::LaunchTemplate';

function hooksOf(): Record<string, unknown>[] {
  return propertiesOf(template, GROUP)['LifecycleHookSpecificationList'] as Record<string, unknown>[];
}

function launchData(): Record<string, unknown> {
  return propertiesOf(template, LAUNCH)['LaunchTemplateData'] as Record<string, unknown>;
}

test('an instance launches from the image, with a role and without an ssh key', (t) => {
  const data = launchData();
  t.is(data['ImageId'], AMI_ID);
  t.truthy(data['IamInstanceProfile']);
  t.false('KeyName' in data);
});

test('the metadata service requires tokens, and is limited to the instance', (t) => {
  template.hasResourceProperties(LAUNCH, {
    LaunchTemplateData: { MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 } },
  });
  t.pass();
});

test('the root volume is encrypted, and deleted with its instance', (t) => {
  const data = launchData();
  const volumes = data['BlockDeviceMappings'] as { DeviceName: string; Ebs: Record<string, unknown> }[];
  t.deepEqual(
    volumes.map(({ DeviceName, Ebs }) => [DeviceName, Ebs['Encrypted'], Ebs['DeleteOnTermination']]),
    [['/dev/xvda', true, true]],
  );
});

test('no instance has a public address, whatever its subnet assigns', (t) => {
  const data = launchData();
  const interfaces = data['NetworkInterfaces'] as Record<string, unknown>[];
  t.deepEqual(
    interfaces.map(({ AssociatePublicIpAddress }) => AssociatePublicIpAddress),
    [false],
  );
});

test('an instance and its volume have the name of their stack', (t) => {
  const Tags = [{ Key: 'Name', Value: 'calls-2' }];
  synthesized({ stackName: 'calls-2' }).hasResourceProperties(LAUNCH, {
    LaunchTemplateData: {
      TagSpecifications: [
        { ResourceType: 'instance', Tags },
        { ResourceType: 'volume', Tags },
      ],
    },
  });
  t.pass();
});

test('CPU is measured every minute, as scaling on CPU requires', (t) => {
  template.hasResourceProperties(LAUNCH, { LaunchTemplateData: { Monitoring: { Enabled: true } } });
  t.pass();
});

test('a launching instance counts once its daemon accepts sessions, or is replaced after ten minutes', (t) => {
  t.like(
    hooksOf().find((hook) => hook['LifecycleTransition'] === 'autoscaling:EC2_INSTANCE_LAUNCHING'),
    { DefaultResult: 'ABANDON', HeartbeatTimeout: 600 },
  );
});

test('Auto Scaling waits for a terminating instance while its daemon sends heartbeats', (t) => {
  t.like(
    hooksOf().find((hook) => hook['LifecycleTransition'] === 'autoscaling:EC2_INSTANCE_TERMINATING'),
    { DefaultResult: 'CONTINUE', HeartbeatTimeout: 300 },
  );
});

test('the hooks are part of the group, so that they exist before its first instance', (t) => {
  t.is(hooksOf().length, 2);
  template.resourceCountIs('AWS::AutoScaling::LifecycleHook', 0);
});

for (const minutes of [1, 120, 600, 1440, 2820]) {
  test(`a drain of ${minutes} min ends before Auto Scaling's limits of 100 heartbeats and 48 h`, (t) => {
    const seconds = heartbeatTimeout(Duration.minutes(minutes)).toSeconds();
    t.true(Number.isInteger(seconds) && seconds >= 30 && seconds <= 7200, 'within the limits of a hook');
    t.true(100 * seconds >= (minutes + 10) * 60, 'time for the deadline, and for ending the remaining sessions');
    t.true((minutes + 10) * 60 <= 48 * 3600);
  });
}

test('a longer deadline makes the terminating hook wait longer, and reaches the daemon', (t) => {
  const longest = synthesized({ drainDeadlineMinutes: 2820 });
  longest.hasResourceProperties(GROUP, {
    LifecycleHookSpecificationList: Match.arrayWith([
      Match.objectLike({
        LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
        HeartbeatTimeout: heartbeatTimeout(Duration.minutes(2820)).toSeconds(),
      }),
    ]),
  });
  t.true(JSON.stringify(propertiesOf(longest, LAUNCH)).includes('DRAIN_DEADLINE_MS=\\"169200000\\"'));
});

test('an update of the stack rolls out by an instance refresh, and keeps the size set by scaling', (t) => {
  template.hasResource(GROUP, {
    UpdatePolicy: {
      AutoScalingScheduledAction: { IgnoreUnmodifiedGroupSizeProperties: true },
      AutoScalingRollingUpdate: Match.absent(),
      AutoScalingReplacingUpdate: Match.absent(),
      AutoScalingInstanceRefresh: {
        Strategy: 'Rolling',
        Preferences: {
          MinHealthyPercentage: 100,
          MaxHealthyPercentage: 200,
          InstanceWarmup: 120,
          SkipMatching: true,
          CheckpointPercentages: [10, 100],
          CheckpointDelay: 600,
          BakeTime: 600,
          StandbyInstances: 'Ignore',
          ScaleInProtectedInstances: 'Refresh',
          AlarmSpecification: {
            Alarms: ['Gaps', 'StartsFailing', 'CallsWithoutResults'].map((name) => ({
              Ref: Match.stringLikeRegexp(`^Alarms${name}`),
            })),
          },
        },
      },
    },
  });
  t.false('DesiredCapacity' in propertiesOf(template, GROUP));
});

test('the group refers to a numbered version of its launch template, so that a change is a new one', (t) => {
  const { MixedInstancesPolicy } = propertiesOf(template, GROUP) as {
    MixedInstancesPolicy: { LaunchTemplate: { LaunchTemplateSpecification: { Version: object } } };
  };
  const { Version } = MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification;
  t.deepEqual(Object.values(Version).flat().at(-1), 'LatestVersionNumber');
});

test('a roll-out can do without alarms, or be left to an operator', (t) => {
  const policyOf = (rollOut: string) =>
    Object.values(synthesized({ rollOut }).findResources(GROUP))[0]?.['UpdatePolicy'].AutoScalingInstanceRefresh;
  t.false('AlarmSpecification' in policyOf('unguarded').Preferences);
  t.is(policyOf('by-hand'), undefined);
});

test('a deployment that only disarms the guard replaces nothing, but is a change for CloudFormation', (t) => {
  const resourcesOf = (rollOut: string) => {
    const resources: Record<string, Record<string, unknown>> = synthesized({ rollOut }).toJSON()['Resources'];
    return Object.entries(resources).map(([id, { UpdatePolicy, ...resource }]) => [id, resource] as const);
  };
  const guarded = new Map(resourcesOf('guarded'));
  const changed = resourcesOf('unguarded').filter(
    ([id, resource]) => JSON.stringify(resource) !== JSON.stringify(guarded.get(id)),
  );
  // An update of policies alone is none for CloudFormation; the kept settings change with them.
  t.deepEqual(
    changed.map(([, { Type }]) => Type),
    ['AWS::SSM::Parameter'],
  );
});

test('CloudFormation updates the trigger only after the fleet, and deletes it before', (t) => {
  const [group = ''] = Object.keys(template.findResources(GROUP));
  const functions = Object.entries(template.findResources('AWS::Lambda::Function'));
  const [, trigger] = functions.find(([id]) => id.startsWith('Trigger')) ?? [];
  t.true(trigger?.['DependsOn'].includes(group));
});

test('an instance refresh launches before it terminates, and the old instances drain in parallel', (t) => {
  template.hasResourceProperties(GROUP, {
    InstanceMaintenancePolicy: { MinHealthyPercentage: 100, MaxHealthyPercentage: 200 },
  });
  t.pass();
});

test("a full instance, which fails the load balancer's check, is not replaced", (t) => {
  template.hasResourceProperties(GROUP, { HealthCheckType: 'EC2' });
  t.pass();
});

test('the fleet scales on the capacity used, as reported by the daemons of this stack', (t) => {
  template.hasResourceProperties('AWS::AutoScaling::ScalingPolicy', {
    PolicyType: 'TargetTrackingScaling',
    TargetTrackingConfiguration: {
      TargetValue: 60,
      DisableScaleIn: Match.absent(),
      CustomizedMetricSpecification: {
        Namespace: 'Integratord',
        MetricName: 'CapacityUsed',
        Statistic: 'Average',
        Dimensions: [{ Name: 'Stack', Value: { Ref: 'AWS::StackName' } }],
      },
    },
  });
  t.pass();
});

test('scaling on CPU covers calls that cost more than expected', (t) => {
  template.hasResourceProperties('AWS::AutoScaling::ScalingPolicy', {
    TargetTrackingConfiguration: {
      PredefinedMetricSpecification: { PredefinedMetricType: 'ASGAverageCPUUtilization' },
      TargetValue: 60,
    },
  });
  t.pass();
});

test('a burst adds instances after one minute, half-way between the target and a full fleet', (t) => {
  const policies = template.findResources('AWS::AutoScaling::ScalingPolicy', {
    Properties: { PolicyType: 'StepScaling' },
  });
  const [id] = Object.keys(policies);
  t.like(policies[id ?? '']?.['Properties'], {
    AdjustmentType: 'PercentChangeInCapacity',
    MinAdjustmentMagnitude: 1,
    EstimatedInstanceWarmup: 120,
    StepAdjustments: [
      { MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 10, ScalingAdjustment: 25 },
      { MetricIntervalLowerBound: 10, ScalingAdjustment: 50 },
    ],
  });
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmActions: [{ Ref: id }],
    MetricName: 'CapacityUsed',
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 80,
  });
});

test('a fleet of a fixed size has no scaling policies', (t) => {
  const fixed = synthesized({ minInstances: 4, maxInstances: 4 });
  fixed.hasResourceProperties(GROUP, { MinSize: '4', MaxSize: '4' });
  fixed.resourceCountIs('AWS::AutoScaling::ScalingPolicy', 0);
  t.pass();
});

test('the stack is protected from deletion, and its group from one that skips the drain', (t) => {
  template.hasResourceProperties(GROUP, { DeletionProtection: 'prevent-force-deletion' });
  t.true(stackOf().terminationProtection);
});

test('AZ rebalance is suspended', (t) => {
  const { Create, Update } = propertiesOf(template, 'Custom::SuspendedAZRebalance');
  for (const call of [Create, Update]) {
    const text = JSON.stringify(call);
    t.true(text.includes('suspendProcesses') && text.includes('AZRebalance'), text);
  }
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: { Statement: [{ Action: 'autoscaling:SuspendProcesses', Effect: 'Allow' }] },
  });
});

test('without Spot all instances are on demand, and none is replaced on a rebalance notice', (t) => {
  template.hasResourceProperties(GROUP, {
    CapacityRebalance: false,
    MixedInstancesPolicy: { InstancesDistribution: { OnDemandPercentageAboveBaseCapacity: 100 } },
  });
  t.pass();
});

test('with Spot there is an on-demand base, several types, and early replacement', (t) => {
  const spot = { spotPercent: 70, onDemandBase: 3, instanceTypes: 'c7g.large,c6g.large, m7g.large' };
  synthesized(spot).hasResourceProperties(GROUP, {
    CapacityRebalance: true,
    MixedInstancesPolicy: {
      InstancesDistribution: {
        OnDemandBaseCapacity: 3,
        OnDemandPercentageAboveBaseCapacity: 30,
        SpotAllocationStrategy: 'price-capacity-optimized',
      },
      LaunchTemplate: {
        Overrides: [{ InstanceType: 'c7g.large' }, { InstanceType: 'c6g.large' }, { InstanceType: 'm7g.large' }],
      },
    },
  });
  t.pass();
});

test('the sizes come from the settings', (t) => {
  synthesized({ minInstances: 3, maxInstances: 30, desiredInstances: 5 }).hasResourceProperties(GROUP, {
    MinSize: '3',
    MaxSize: '30',
    DesiredCapacity: '5',
  });
  t.pass();
});

test('the first instance launches after the internet route of its subnet exists, and is deleted before it', (t) => {
  const [group] = Object.values(template.findResources(GROUP));
  const routes = Object.keys(
    template.findResources('AWS::EC2::Route', { Properties: { NatGatewayId: Match.anyValue() } }),
  );
  t.is(routes.length, 2);
  for (const route of routes) t.true(group?.['DependsOn'].includes(route), route);
});

test('a template without an image takes the newest one of its architecture from Parameter Store', (t) => {
  const image = (architecture: string) => ({
    Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
    Default: `/integratord/ami/${architecture}`,
  });
  const without = synthesized({ amiId: undefined });
  without.hasParameter('AmiId', image('arm64'));
  synthesized({ amiId: undefined, instanceTypes: 'c7i.large' }).hasParameter('AmiId', image('x86_64'));
  without.hasResourceProperties(LAUNCH, { LaunchTemplateData: { ImageId: { Ref: 'AmiId' } } });
  t.pass();
});
