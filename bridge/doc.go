// Package bridge connects WebSockets to processes.
package bridge
