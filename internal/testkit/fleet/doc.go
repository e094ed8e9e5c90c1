// Package fleet has what tests of whole programs are made of: services, their
// clients, nodes in processes of their own, and watchers. Unlike testkit, on which
// it stands, it links the framework that is tested.
package fleet
