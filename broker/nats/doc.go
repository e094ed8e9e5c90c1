// Package nats is a broker on a NATS server, over its own client github.com/nats-io/nats.go.
//
//	service := micro.NewService(
//		micro.Name("greeter"),
//		micro.Broker(nats.NewBroker(broker.Addrs("nats://10.0.0.1:4222"))),
//	)
//
// or, without a line of code, --broker=nats --broker_address=10.0.0.1:4222.
//
// On the wire it is go-micro v2's broker of the same name: the topic is the subject, and
// the payload is the message, header and body, in JSON unless broker.Codec says otherwise.
// Programs of both kinds share a server.
//
// # At most once
//
// Without more, a message goes to who is subscribed at that moment, and to nobody later.
// Publish returns as soon as the message is on its way; nobody confirms it. While the
// server is away, Publish returns ErrAway: nothing is kept for later. Each subscription
// takes its messages one after the other, in the order in which each publisher sent
// them. Those that it has not taken yet are kept in memory up to a limit
// (PendingLimits); what arrives beyond is dropped, and the ErrorHandler is told of it.
// A message is not given again, whatever the Handler returns, and Ack does nothing.
//
// # At least once
//
// With JetStream, messages are kept in a stream on the server's disk. Publish returns
// when the server has the message. A subscription is a consumer of that stream; one with
// a broker.Queue is a durable consumer that all members of the queue share, and goes on
// where it stopped. A message whose Handler returns an error comes again, later each
// time, and after Delivery.MaxDeliver times it is put aside as a dead letter. One whose
// process was lost comes again after Delivery.AckWait. See Delivery.
//
// # The connection
//
// Connect makes it, in some seconds at most, or says why not. Once it is there, it is
// made again for as long as it takes whenever it is lost, and subscriptions go on.
// Disconnect ends the subscriptions, lets handlers finish what was received, for up to
// ten seconds, and sends what was published.
package nats
