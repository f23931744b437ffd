import { Duration } from 'aws-cdk-lib';
import { type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type IConnectable, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  ApplicationListener,
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  type IApplicationLoadBalancerTarget,
  TargetGroupLoadBalancingAlgorithmType,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Network } from './network.ts';
import { INSTANCE_PORT, STARTS_PORT } from './ports.ts';
import { DEREGISTRATION_DELAY, HEALTH_CHECK } from './timing.ts';

export interface LoadBalancerProps {
  readonly network: Network;
}

/**
 * Brings the trigger's starts to the instances: inside the VPC only, and from nobody else. Calls do not come this way.
 * It speaks HTTP, because nothing could vouch for a certificate of a name that AWS makes up: each start is signed
 * with the trigger's secret and its time instead, and no packet leaves the VPC.
 */
export class LoadBalancer extends Construct {
  /** Where starts are taken, for KVS_DG_INTEGRATOR_DOMAIN. */
  readonly domain: string;
  readonly #balancer: ApplicationLoadBalancer;
  readonly #instances: ApplicationTargetGroup;

  constructor(scope: Construct, id: string, { network }: LoadBalancerProps) {
    super(scope, id);
    const { vpc, subnets } = network;
    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'Load balancer of integratord: takes starts from the trigger',
      allowAllOutbound: false,
    });
    this.#balancer = new ApplicationLoadBalancer(this, 'Balancer', {
      vpc,
      vpcSubnets: subnets,
      securityGroup,
      internetFacing: false,
      dropInvalidHeaderFields: true,
    });
    this.domain = this.#balancer.loadBalancerDnsName;
    this.#instances = new ApplicationTargetGroup(this, 'Instances', {
      vpc,
      targetType: TargetType.INSTANCE,
      protocol: ApplicationProtocol.HTTP,
      port: INSTANCE_PORT,
      // A start takes as long as Kinesis and Deepgram need: an instance on which they pile up is to get fewer. A full
      // one, which refuses at once and so looks idle, is found out by the health check; till then the trigger retries.
      loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      deregistrationDelay: DEREGISTRATION_DELAY,
      healthCheck: { path: '/health-check', healthyHttpCodes: '200', ...HEALTH_CHECK },
    });
    new ApplicationListener(this, 'Starts', {
      loadBalancer: this.#balancer,
      protocol: ApplicationProtocol.HTTP,
      port: STARTS_PORT,
      open: false,
      defaultTargetGroups: [this.#instances],
    });
    acknowledge(
      this.#balancer,
      'ELB2',
      "The trigger's and the daemon's logs have every start, with its contact; an access log would add nothing to them.",
    );
  }

  takesStartsFrom(trigger: IConnectable): void {
    this.#balancer.connections.allowFrom(trigger, Port.tcp(STARTS_PORT), 'Starts of calls');
  }

  /** Instances that pass the health check; not reported while no instance is registered. */
  healthyInstances(): Metric {
    // Each zone's node counts for itself; the one that sees the most is right, as the others still have to look.
    return this.#instances.metrics.healthyHostCount({ statistic: Stats.MAXIMUM, period: Duration.minutes(1) });
  }

  sendsThemTo(fleet: IApplicationLoadBalancerTarget): void {
    this.#instances.addTarget(fleet);
  }
}
