import { InstanceClass, InstanceSize, InstanceType } from 'aws-cdk-lib/aws-ec2';

/** CDK's own pattern: family, generation and attributes, then the size. */
export const INSTANCE_TYPE = /^[a-z]+\d{1,2}[a-z-]*\.[a-z0-9-]+$/;

const FAMILIES: ReadonlySet<string> = new Set(Object.values(InstanceClass));
const SIZES: ReadonlySet<string> = new Set(Object.values(InstanceSize));

const BURSTABLE = 'nano micro small medium large xlarge 2xlarge';
const USUAL = 'large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge';
const UP_TO_24 = `${USUAL} 24xlarge`;
const UP_TO_32 = `${UP_TO_24} 32xlarge`;

/** The general purpose, compute and memory families of EC2 in 2026, with their sizes, as cfn-lint 1.51 lists them. */
const SIZES_OF: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  (
    [
      ['t3 t3a t4g', BURSTABLE],
      ['c6g c6gd c6gn c7g c7gd c7gn m6g m6gd m7g m7gd r6g r6gd r7g r7gd', `medium ${USUAL} metal`],
      [
        'c8a c8g c8gb c8gd c8gn m8a m8g m8gb m8gd m8gn r8a r8g r8gb r8gd r8gn',
        `medium ${UP_TO_24} 48xlarge metal-24xl metal-48xl`,
      ],
      ['c5 c5d', 'large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge metal'],
      ['c5n', 'large xlarge 2xlarge 4xlarge 9xlarge 18xlarge metal'],
      ['m5 m5d m5dn m5n r5 r5b r5d r5dn r5n', `${UP_TO_24} metal`],
      ['c5a c5ad m5a m5ad r5a r5ad', UP_TO_24],
      ['c6i c6id c6in m6i m6id m6idn m6in r6i r6id r6idn r6in', `${UP_TO_32} metal`],
      ['c6a m6a r6a', `${UP_TO_32} 48xlarge metal`],
      ['c7a m7a r7a', `medium ${UP_TO_32} 48xlarge metal-48xl`],
      ['c7i m7i r7i', `${UP_TO_24} 48xlarge metal-24xl metal-48xl`],
      ['c7i-flex c8i-flex m7i-flex m8i-flex r8i-flex', USUAL],
      ['m8ib m8idb m8idn m8in r8ib r8idb r8idn r8in', `${UP_TO_32} 48xlarge 96xlarge`],
      ['c8ine m8ine', 'large xlarge 2xlarge 4xlarge 8xlarge 12xlarge'],
      ['m8azn', 'medium large xlarge 3xlarge 6xlarge 12xlarge 24xlarge metal-12xl metal-24xl'],
      ['c8i c8ib c8id c8in m8i m8id r8i r8id', `${UP_TO_32} 48xlarge 96xlarge metal-48xl metal-96xl`],
    ] as const
  ).flatMap(([families, sizes]) => families.split(' ').map((family) => [family, new Set(sizes.split(' '))] as const)),
);

/** A family that is not in the table may have any size of other families. True for what `INSTANCE_TYPE` reports. */
export function isKnownType(instanceType: string): boolean {
  if (!INSTANCE_TYPE.test(instanceType)) return true;
  const [family = '', size = ''] = instanceType.split('.');
  return SIZES_OF.get(family)?.has(size) ?? (FAMILIES.has(family) && SIZES.has(size));
}

/** The architecture that the image must have; undefined for an invalid type, which `INSTANCE_TYPE` reports. */
export function architectureOf(instanceType: string): string | undefined {
  return INSTANCE_TYPE.test(instanceType) ? new InstanceType(instanceType).architecture : undefined;
}
