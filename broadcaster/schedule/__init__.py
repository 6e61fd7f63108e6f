"""When and where: slots, policy, airings, and `plan`, the one answer to what plays."""
