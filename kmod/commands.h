/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one list of commands, included (more than once, hence no guard) by whoever defines
 *
 *	COMMAND(command, roles, struct, last, flags, direction, handler)
 *
 * last: the last member that a caller must give; a shorter struct is EINVAL. It is the last one
 *	of ABI version 1, but for INFO, which must serve callers of every version.
 * flags: the flags that the command knows.
 * direction: IN, or INOUT when the argument is copied back.
 */
COMMAND(ULTRAVISOR_INFO, UVR_ROLE_ANY, ultravisor_info, out_abi_version, 0, INOUT, uvr_info)
COMMAND(ULTRAVISOR_PARTITION_CREATE, UVR_ROLE_DEVICE, ultravisor_partition_create, out_reserved,
	ULTRAVISOR_PARTITION_CGROUP, INOUT, uvr_partition_create)
COMMAND(ULTRAVISOR_CHANNEL_CREATE, UVR_ROLE_DEVICE, ultravisor_channel_create, out_reserved,
	ULTRAVISOR_CHANNEL_GRANT, INOUT, uvr_channel_create)
COMMAND(ULTRAVISOR_OBJECT_OPEN, UVR_ROLE_DEVICE, ultravisor_object_open, out_reserved, 0, INOUT,
	uvr_object_open)
COMMAND(ULTRAVISOR_OBJECT_NEXT, UVR_ROLE_DEVICE, ultravisor_object_next, out_uuid, 0, INOUT,
	uvr_object_next)
COMMAND(ULTRAVISOR_OBJECT_PUBLISH, UVR_ROLE_DEVICE, ultravisor_object, id, 0, IN,
	uvr_object_publish)
COMMAND(ULTRAVISOR_OBJECT_DESTROY, UVR_ROLE_DEVICE, ultravisor_object, id, 0, IN,
	uvr_object_destroy)
COMMAND(ULTRAVISOR_PROCESSOR_SET, UVR_ROLE_DEVICE, ultravisor_processor_set, phase_ns,
	ULTRAVISOR_PROCESSOR_GIVEN, IN, uvr_processor_set)
COMMAND(ULTRAVISOR_PROCESSOR_INFO, UVR_ROLE_DEVICE, ultravisor_processor_info, out_realtime_ppm,
	0, INOUT, uvr_processor_info)

COMMAND(ULTRAVISOR_PARTITION_INFO, UVR_ROLE_PARTITION, ultravisor_partition_info, out_exits, 0,
	INOUT, uvr_partition_info)
COMMAND(ULTRAVISOR_PARTITION_STOP, UVR_ROLE_PARTITION, ultravisor_partition_run, flags, 0, IN,
	uvr_partition_stop)
COMMAND(ULTRAVISOR_PARTITION_RESUME, UVR_ROLE_PARTITION, ultravisor_partition_run, flags, 0, IN,
	uvr_partition_resume)
COMMAND(ULTRAVISOR_MEMORY_ADD, UVR_ROLE_PARTITION, ultravisor_memory_add, out_index, 0, INOUT,
	uvr_memory_add)
COMMAND(ULTRAVISOR_CONTEXT_CREATE, UVR_ROLE_PARTITION, ultravisor_context_set, cpus,
	ULTRAVISOR_CONTEXT_REALTIME, IN, uvr_context_create)
COMMAND(ULTRAVISOR_CONTEXT_SET, UVR_ROLE_PARTITION, ultravisor_context_set, cpus,
	ULTRAVISOR_CONTEXT_REALTIME, IN, uvr_context_set)
COMMAND(ULTRAVISOR_CONTEXT_INFO, UVR_ROLE_PARTITION, ultravisor_context_info, out_exits, 0, INOUT,
	uvr_context_info)

COMMAND(ULTRAVISOR_LEASE_SET, UVR_ROLE_PARTITION, ultravisor_lease, deadline, 0, IN,
	uvr_lease_set)
COMMAND(ULTRAVISOR_LEASE_RENEW, UVR_ROLE_PARTITION, ultravisor_lease, deadline, 0, IN,
	uvr_lease_renew)

COMMAND(ULTRAVISOR_VM_CREATE, UVR_ROLE_MONITOR, ultravisor_vm_create, flags, 0, IN,
	uvr_vm_create)
COMMAND(ULTRAVISOR_VM_KVM, UVR_ROLE_MONITOR, ultravisor_kvm, arg, 0, IN, uvr_vm_kvm)
COMMAND(ULTRAVISOR_CONTEXT_OPEN, UVR_ROLE_MONITOR, ultravisor_context_open, out_fd, 0, INOUT,
	uvr_context_open)
COMMAND(ULTRAVISOR_MEMORY_INFO, UVR_ROLE_PARTITION | UVR_ROLE_MONITOR | UVR_ROLE_SERVER,
	ultravisor_memory_info, out_length, 0, INOUT, uvr_memory_info)

COMMAND(ULTRAVISOR_CONTEXT_RUN, UVR_ROLE_CONTEXT, ultravisor_context_run, flags, 0, IN,
	uvr_runner_run)
COMMAND(ULTRAVISOR_CONTEXT_KVM, UVR_ROLE_CONTEXT, ultravisor_kvm, arg, 0, IN, uvr_context_kvm)

COMMAND(ULTRAVISOR_CHANNEL_INFO, UVR_ROLE_CHANNEL, ultravisor_channel_info, out_server_uuids, 0,
	INOUT, uvr_channel_info)
COMMAND(ULTRAVISOR_SERVER_SET, UVR_ROLE_CHANNEL, ultravisor_server_set, uuid, 0, IN,
	uvr_server_set)
COMMAND(ULTRAVISOR_CHANNEL_PROMOTE, UVR_ROLE_CHANNEL, ultravisor_channel_promote, out_epoch, 0,
	INOUT, uvr_channel_promote)
COMMAND(ULTRAVISOR_CHANNEL_REVOKE, UVR_ROLE_CHANNEL, ultravisor_channel_revoke, slot, 0, IN,
	uvr_channel_revoke)

COMMAND(ULTRAVISOR_ENDPOINT_INFO, UVR_ROLE_ENDPOINT, ultravisor_endpoint_info, out_doorbells, 0,
	INOUT, uvr_endpoint_info)
COMMAND(ULTRAVISOR_ATTACH, UVR_ROLE_ENDPOINT, ultravisor_attach, flags, 0, IN, uvr_attach)
COMMAND(ULTRAVISOR_DETACH, UVR_ROLE_ENDPOINT, ultravisor_attach, flags, 0, IN, uvr_detach)
COMMAND(ULTRAVISOR_DOORBELL_BIND, UVR_ROLE_ENDPOINT, ultravisor_doorbell_bind, reserved, 0, IN,
	uvr_doorbell_bind)
COMMAND(ULTRAVISOR_DOORBELL_RING, UVR_ROLE_ENDPOINT, ultravisor_doorbell_ring, reserved, 0, IN,
	uvr_doorbell_ring)
