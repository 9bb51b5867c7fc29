import { redactUrl } from '@warren/core';

const PARAMETER = /([?&][^=&#]*(?:pass|secret|token|credential|key)[^=&#]*=)[^&#]*/gi;

/** The address without its password, also where that is a parameter. */
export function redacted(address: string): string {
  return redactUrl(address).replace(PARAMETER, '$1***');
}
