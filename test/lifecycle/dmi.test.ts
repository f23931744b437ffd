import test from 'ava';
import { otherMachine, readDmi } from '../../daemon/lifecycle/dmi.ts';

for (const [what, values, isOther] of [
  ['a Nitro instance', { sys_vendor: 'Amazon EC2', board_asset_tag: 'i-0123456789abcdef0' }, false],
  [
    'an instance whose vendor another tool has set',
    { sys_vendor: 'Any', board_asset_tag: 'i-0123456789abcdef0' },
    false,
  ],
  ['a Xen instance seen by root', { sys_vendor: 'Xen', product_uuid: 'ec2e1916-9099-7caf-fd21-012345abcdef' }, false],
  ['a Xen instance, little-endian', { sys_vendor: 'Xen', product_uuid: '45E12AEC-DCD1-B213-94ED-012345ABCDEF' }, false],
  ['a Xen instance seen by others', { sys_vendor: 'Xen' }, false],
  ['a Xen host elsewhere, seen by root', { sys_vendor: 'Xen', product_uuid: '0d1f1916-9099-7caf-fd21-0123abcd' }, true],
  ['a container without DMI', {}, false],
  ['a laptop', { sys_vendor: 'LENOVO', board_asset_tag: 'Not Available' }, true],
  ['another cloud', { sys_vendor: 'Google' }, true],
] as const) {
  test(`${what} is ${isOther ? 'certainly not' : 'possibly'} an EC2 instance`, (t) => {
    t.is(otherMachine((name) => (values as Record<string, string>)[name]) !== undefined, isOther);
  });
}

test('a value that cannot be read is undefined', (t) => {
  t.is(readDmi('no-such-value'), undefined);
});
