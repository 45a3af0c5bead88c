/** EC2: DescribeRegions (EC2's query protocol). */

import type { OptStatus, RegionStatus } from '../region-statuses.ts';
import { ec2Answer, ServiceError } from '../responses.ts';
import type { Service } from './service-call.ts';

const optIn: Readonly<Record<OptStatus, string>> = {
  ENABLED: 'opted-in',
  ENABLED_BY_DEFAULT: 'opt-in-not-required',
  DISABLED: 'not-opted-in',
};

export function ec2Service(regions: readonly RegionStatus[]): Service {
  return ({ api, request, requestId }) => {
    const form = new URLSearchParams(request.body);
    const names = valuesOf(form, 'RegionName');
    const isShown = filterOf(form);
    const unknown = names.find((name) => !regions.some((region) => region.name === name));
    if (unknown !== undefined) {
      throw new ServiceError(400, 'InvalidParameterValue', `Invalid region provided: [${unknown}]`);
    }
    const all = form.get('AllRegions') === 'true';
    const items = regions
      .filter(({ status }) => all || status !== 'DISABLED')
      .filter(({ name }) => names.length === 0 || names.includes(name))
      .filter(isShown)
      .map(
        ({ name, status }) =>
          `<item><regionName>${name}</regionName><regionEndpoint>${endpointOf(name)}</regionEndpoint><optInStatus>${optIn[status]}</optInStatus></item>`,
      );
    return ec2Answer(api, `<regionInfo>${items.join('')}</regionInfo>`, requestId);
  };
}

function endpointOf(region: string): string {
  return `ec2.${region}.amazonaws.com`;
}

function filterOf(form: URLSearchParams): (region: RegionStatus) => boolean {
  const filters: ((region: RegionStatus) => boolean)[] = [];
  for (let n = 1; form.has(`Filter.${n}.Name`); n++) {
    const name = form.get(`Filter.${n}.Name`);
    const values = valuesOf(form, `Filter.${n}.Value`);
    const field = fieldOf(name);
    filters.push((region) => values.includes(field(region)));
  }
  return (region) => filters.every((filter) => filter(region));
}

function fieldOf(name: string | null): (region: RegionStatus) => string {
  switch (name) {
    case 'opt-in-status':
      return ({ status }) => optIn[status];
    case 'region-name':
      return (region) => region.name;
    case 'endpoint':
      return (region) => endpointOf(region.name);
    default:
      throw new ServiceError(400, 'InvalidParameterValue', `The filter '${name}' is invalid`);
  }
}

function valuesOf(form: URLSearchParams, prefix: string): string[] {
  const values: string[] = [];
  for (let n = 1; ; n++) {
    const value = form.get(`${prefix}.${n}`);
    if (value === null) return values;
    values.push(value);
  }
}
