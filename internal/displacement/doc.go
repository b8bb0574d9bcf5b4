// Package displacement says where it went after somebody acted: interventions
// are registered before they act, with neighbours, controls and window fixed, and
// are evaluated at 2, 6 and 13 weeks on the clock, whatever the figures are.
//
// What it measures is movement of selectors. A selector that is not seen again
// may stand for somebody who stopped, who took a new one, or whom nobody notices
// any more: it is called same-selector dark time and never anything else.
package displacement
