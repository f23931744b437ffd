import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export interface LogsProps {
  readonly retention: RetentionDays;
}

/** A log group for each who writes; all of them go with the stack. */
export class Logs extends Construct {
  /** The daemons', a stream for each instance. */
  readonly fleet: LogGroup;
  readonly trigger: LogGroup;
  /** Of what the stack itself does while it is deployed. */
  readonly deployment: LogGroup;

  constructor(scope: Construct, id: string, { retention }: LogsProps) {
    super(scope, id);
    const group = (name: string) => new LogGroup(this, name, { retention, removalPolicy: RemovalPolicy.DESTROY });
    this.fleet = group('Fleet');
    this.trigger = group('Trigger');
    this.deployment = group('Deployment');
  }
}
