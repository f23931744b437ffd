import test from 'ava';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { DEREGISTRATION_DELAY, HEALTH_CHECK, HEALTH_LAG } from '../../../cdk/timing.ts';
import { RETRY_POLICY } from '../../../trigger/retry-policy.ts';
import { ALGORITHM } from '../../admission/balancer-trial.ts';
import { propertiesOf, synthesized } from '../synthesized.ts';

const template = synthesized();
const EXISTING = { vpcId: 'vpc-0123456789abcdef0', subnetIds: 'subnet-0123456789abcdef0,subnet-0fedcba9876543210' };
const SUBNETS = EXISTING.subnetIds.split(',');
const existing = synthesized({ ...EXISTING, privateLink: 'on' });
const isolated = synthesized({ natGateways: 0, privateLink: 'on', deepgramApi: 'ws://deepgram.internal:8080' });

type Rule = { IpProtocol: string; FromPort: number; ToPort: number; CidrIp?: string };

/** The rules of a security group, inline or separate: `tcp 80 from <the other end>`. */
function rulesOf(from: Template, direction: 'Ingress' | 'Egress', group: string): string[] {
  const groups = from.findResources('AWS::EC2::SecurityGroup');
  const id = Object.keys(groups).find((name) => name.startsWith(group)) ?? '';
  const inline: Rule[] = groups[id]?.['Properties'][`SecurityGroup${direction}`] ?? [];
  const beside = Object.values(from.findResources(`AWS::EC2::SecurityGroup${direction}`))
    .map((rule) => rule['Properties'])
    .filter(({ GroupId }) => GroupId['Fn::GetAtt'][0] === id);
  const other = direction === 'Ingress' ? 'SourceSecurityGroupId' : 'DestinationSecurityGroupId';
  return [...inline, ...beside]
    .map((rule) => {
      const end = rule.CidrIp ?? rule[other]?.['Fn::GetAtt'][0].replace(/SecurityGroup.*/, '');
      return `${rule.IpProtocol} ${rule.FromPort}${rule.FromPort === rule.ToPort ? '' : `-${rule.ToPort}`} ${end}`;
    })
    .sort();
}

test('the load balancer accepts traffic only from the trigger, and sends it only to the instances', (t) => {
  t.deepEqual(rulesOf(template, 'Ingress', 'LoadBalancer'), ['tcp 80 Trigger']);
  t.deepEqual(rulesOf(template, 'Egress', 'LoadBalancer'), ['tcp 8080 Fleet']);
});

test('with METRICS_PORT, an output opens it to a Prometheus server, and nothing else does', (t) => {
  const scraped = synthesized({ daemonSettings: { METRICS_PORT: 9464 } });
  t.deepEqual(rulesOf(scraped, 'Ingress', 'Fleet'), ['tcp 8080 LoadBalancer']);
  const command = JSON.stringify(scraped.toJSON()['Outputs'].LetPrometheusIn.Value);
  t.regex(
    command,
    /authorize-security-group-ingress .*"FleetSecurityGroup\w*","GroupId".*--port 9464 --source-group sg-/,
  );
  t.is(template.toJSON()['Outputs'].LetPrometheusIn, undefined);
});

test('only the load balancer reaches an instance, and an instance reaches AWS and Deepgram', (t) => {
  t.deepEqual(rulesOf(template, 'Ingress', 'Fleet'), ['tcp 8080 LoadBalancer']);
  t.deepEqual(rulesOf(template, 'Egress', 'Fleet'), ['tcp 443 0.0.0.0/0']);
});

test('nothing reaches the trigger over the network, and it reaches the load balancer and Secrets Manager', (t) => {
  t.deepEqual(rulesOf(template, 'Ingress', 'Trigger'), []);
  t.deepEqual(rulesOf(template, 'Egress', 'Trigger'), ['tcp 443 0.0.0.0/0', 'tcp 80 LoadBalancer']);
});

/** EC2's pattern for descriptions of security groups and their rules; it excludes apostrophes, for example. */
const DESCRIPTION_FOR_EC2 = /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{1,255}$/;

test('descriptions of security groups and rules consist of characters that EC2 accepts', (t) => {
  for (const each of [template, existing, isolated]) {
    const groups = Object.values(each.findResources('AWS::EC2::SecurityGroup')).map((group) => group['Properties']);
    const rules = ['AWS::EC2::SecurityGroupIngress', 'AWS::EC2::SecurityGroupEgress'].flatMap((type) =>
      Object.values(each.findResources(type)).map((rule) => rule['Properties']),
    );
    const inline = groups.flatMap((group) =>
      [group.SecurityGroupIngress ?? [], group.SecurityGroupEgress ?? []].flat(),
    );
    const described = [
      ...groups.map((group) => group.GroupDescription),
      ...[...rules, ...inline].map((rule) => rule.Description),
    ];
    t.true(described.length > 8);
    for (const description of described) t.regex(description, DESCRIPTION_FOR_EC2);
  }
});

test('instances reach a self-hosted Deepgram at its own port', (t) => {
  const selfHosted = synthesized({ deepgramApi: 'ws://deepgram.internal:8080' });
  t.deepEqual(rulesOf(selfHosted, 'Egress', 'Fleet'), ['tcp 443 0.0.0.0/0', 'tcp 8080 0.0.0.0/0']);
});

test('the load balancer is internal, and drops headers that are not HTTP', (t) => {
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
    Scheme: 'internal',
    LoadBalancerAttributes: Match.arrayWith([
      { Key: 'routing.http.drop_invalid_header_fields.enabled', Value: 'true' },
    ]),
  });
  t.pass();
});

test('the load balancer checks /health-check, and does not prefer an instance that refuses quickly', (t) => {
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
    Port: 8080,
    Protocol: 'HTTP',
    HealthCheckPath: '/health-check',
    Matcher: { HttpCode: '200' },
    HealthCheckIntervalSeconds: 5,
    HealthCheckTimeoutSeconds: 3,
    UnhealthyThresholdCount: 2,
    TargetGroupAttributes: Match.arrayWith([
      { Key: 'deregistration_delay.timeout_seconds', Value: '10' },
      { Key: 'load_balancing.algorithm.type', Value: ALGORITHM },
      { Key: 'load_balancing.algorithm.anomaly_mitigation', Value: 'on' },
    ]),
  });
  t.pass();
});

test('the load balancer notices a drain before the daemon refuses starts', (t) => {
  const { interval, timeout, unhealthyThresholdCount } = HEALTH_CHECK;
  const worstMs = interval.toMilliseconds() * unhealthyThresholdCount + timeout.toMilliseconds();
  t.true(worstMs < HEALTH_LAG.toMilliseconds(), `${worstMs} ms`);
});

test('an instance that leaves the load balancer finishes pending starts', (t) => {
  t.true(DEREGISTRATION_DELAY.toMilliseconds() > RETRY_POLICY.budgetMs);
});

test('without a VPC there is a new small one: two zones, instances in private subnets', (t) => {
  template.resourceCountIs('AWS::EC2::VPC', 1);
  template.resourceCountIs('AWS::EC2::Subnet', 4);
  template.resourceCountIs('AWS::EC2::NatGateway', 2);
  const subnets = Object.entries(template.findResources('AWS::EC2::Subnet'));
  t.true(subnets.every(([, { Properties }]) => Properties['MapPublicIpOnLaunch'] === false));
  const zones = propertiesOf(template, 'AWS::AutoScaling::AutoScalingGroup')['VPCZoneIdentifier'] as { Ref: string }[];
  t.is(zones.length, 2);
  for (const { Ref } of zones) t.true(Ref.includes('Private'), Ref);
});

test('a new VPC is in the zones that the settings name, in each profile', (t) => {
  const availabilityZones = ['us-east-1b', 'us-east-1d'];
  for (const profile of ['standard', 'small']) {
    const subnets = Object.values(synthesized({ profile, availabilityZones }).findResources('AWS::EC2::Subnet'));
    const zones = new Set(subnets.map(({ Properties }) => Properties['AvailabilityZone']));
    t.deepEqual([...zones].sort(), availabilityZones, profile);
  }
  const byDefault = Object.values(template.findResources('AWS::EC2::Subnet'))[0]?.['Properties'].AvailabilityZone;
  t.deepEqual(byDefault, { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] });
});

test('a new VPC logs rejected traffic', (t) => {
  template.hasResourceProperties('AWS::EC2::FlowLog', { TrafficType: 'REJECT', ResourceType: 'VPC' });
  t.pass();
});

test('with natGateways=1 one NAT gateway serves both zones', (t) => {
  synthesized({ natGateways: 1 }).resourceCountIs('AWS::EC2::NatGateway', 1);
  t.pass();
});

test('an existing VPC is used without a lookup, and gets only endpoints', (t) => {
  existing.resourceCountIs('AWS::EC2::VPC', 0);
  existing.resourceCountIs('AWS::EC2::Subnet', 0);
  existing.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', { VPCZoneIdentifier: SUBNETS });
  existing.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Subnets: SUBNETS });
  existing.hasResourceProperties('AWS::Lambda::Function', { VpcConfig: { SubnetIds: SUBNETS } });
  existing.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', { VpcId: EXISTING.vpcId });
  t.false(
    JSON.stringify(existing.toJSON()).includes('zone-of-subnet'),
    'the placeholder zones are not in the template',
  );
});

test('PrivateLink has an endpoint for every service that instances and trigger call, in their subnets', (t) => {
  const endpoints = Object.values(existing.findResources('AWS::EC2::VPCEndpoint')).map((each) => each['Properties']);
  const services = endpoints.map(({ ServiceName }) => {
    const name = ServiceName['Fn::Join']?.[1].at(-1) ?? ServiceName;
    return name.split('.').at(-1);
  });
  const called = ['autoscaling', 'kinesisvideo', 'logs', 'monitoring', 'secretsmanager', 'ssm', 'ssmmessages'];
  t.deepEqual(services.sort(), called);
  for (const endpoint of endpoints) {
    t.like(endpoint, { VpcEndpointType: 'Interface', PrivateDnsEnabled: true, SubnetIds: SUBNETS });
  }
  t.deepEqual(rulesOf(existing, 'Ingress', 'PrivateLink'), ['tcp 443 Fleet', 'tcp 443 Trigger']);
});

test('PrivateLink is off by default', (t) => {
  template.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
  t.pass();
});

test('a small stack has one small instance, no NAT gateway, and a public address without a way in', (t) => {
  const small = synthesized({ profile: 'small' });
  small.resourceCountIs('AWS::EC2::NatGateway', 0);
  small.resourceCountIs('AWS::EC2::Subnet', 2);
  small.resourceCountIs('AWS::EC2::VPCEndpoint', 1);
  const [endpoint] = Object.values(small.findResources('AWS::EC2::VPCEndpoint'));
  t.regex(JSON.stringify(endpoint?.['Properties'].ServiceName), /secretsmanager/);
  t.is(endpoint?.['Properties'].SubnetIds.length, 1);
  small.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', { MinSize: '1', MaxSize: '2' });
  small.hasResourceProperties('AWS::EC2::LaunchTemplate', {
    LaunchTemplateData: {
      InstanceType: 't4g.small',
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      NetworkInterfaces: [Match.objectLike({ AssociatePublicIpAddress: true })],
    },
  });
  small.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internal' });
  t.deepEqual(rulesOf(small, 'Ingress', 'Fleet'), ['tcp 8080 LoadBalancer']);
  t.deepEqual(rulesOf(small, 'Ingress', 'LoadBalancer'), ['tcp 80 Trigger']);
  t.deepEqual(rulesOf(small, 'Ingress', 'Trigger'), []);
  t.deepEqual(rulesOf(small, 'Ingress', 'PrivateLink'), ['tcp 443 Fleet', 'tcp 443 Trigger']);
});

test('a new VPC can be without a route to the internet', (t) => {
  isolated.resourceCountIs('AWS::EC2::InternetGateway', 0);
  isolated.resourceCountIs('AWS::EC2::NatGateway', 0);
  isolated.resourceCountIs('AWS::EC2::VPCEndpoint', 7);
  const [group] = Object.values(isolated.findResources('AWS::AutoScaling::AutoScalingGroup'));
  const endpoints = Object.keys(isolated.findResources('AWS::EC2::VPCEndpoint'));
  for (const endpoint of endpoints) t.true(group?.['DependsOn'].includes(endpoint), endpoint);
});
