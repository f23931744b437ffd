import { Stack, Tags } from 'aws-cdk-lib';
import {
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  type IMachineImage,
  InstanceType,
  type ISecurityGroup,
  LaunchTemplate,
  LaunchTemplateHttpTokens,
  OperatingSystemType,
  type UserData,
} from 'aws-cdk-lib/aws-ec2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/** Root device of Amazon Linux. */
const ROOT_DEVICE = '/dev/xvda';
/** For the image, checkpoints of a few KB per session, and the journal, which is also sent to CloudWatch. */
export const ROOT_GIB = 20;

interface LaunchProps {
  readonly imageId: string;
  readonly instanceType: string;
  readonly securityGroup: ISecurityGroup;
  readonly role: IRole;
  readonly userData: UserData;
  readonly associatePublicIpAddress: boolean;
}

/** The launch template; a new version does not change running instances. */
export class Launch extends Construct {
  readonly template: LaunchTemplate;

  constructor(scope: Construct, id: string, { imageId, instanceType, userData, ...props }: LaunchProps) {
    super(scope, id);
    this.template = new LaunchTemplate(this, 'Template', {
      ...props,
      userData,
      machineImage: imageById(imageId, userData),
      instanceType: new InstanceType(instanceType),
      httpTokens: LaunchTemplateHttpTokens.REQUIRED,
      // One hop: only the instance itself can reach its role's credentials; no container or proxied request can.
      httpPutResponseHopLimit: 1,
      // CPU metrics every minute: with 5 minutes, scaling on CPU would miss a burst of calls.
      detailedMonitoring: true,
      blockDevices: [
        {
          deviceName: ROOT_DEVICE,
          volume: BlockDeviceVolume.ebs(ROOT_GIB, {
            encrypted: true,
            deleteOnTermination: true,
            volumeType: EbsDeviceVolumeType.GP3,
          }),
        },
      ],
    });
    // For operators; CDK's default is a path in the app.
    Tags.of(this.template).add('Name', Stack.of(this).stackName);
  }
}

/** Uses the id unchanged; CDK's own images look it up, or map it by region. */
function imageById(imageId: string, userData: UserData): IMachineImage {
  return { getImage: () => ({ imageId, osType: OperatingSystemType.LINUX, userData }) };
}
