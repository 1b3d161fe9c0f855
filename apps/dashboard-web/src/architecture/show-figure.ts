import { bytes } from '../ui/age';
import type { Figure } from './reading';

export function figureValue({ value, unit }: Figure): string {
  switch (unit) {
    case 'bytes':
      return bytes(value);
    case 'seconds':
      return value < 10 ? `${value.toFixed(2)} s` : `${Math.round(value)} s`;
    default:
      return value.toLocaleString('en');
  }
}

export const showFigure = (figure: Figure): string =>
  figure.unit === 'count' ? `${figureValue(figure)} ${figure.name.toLowerCase().replace(/^pods /, '')}` : `${figure.name} ${figureValue(figure)}`;
