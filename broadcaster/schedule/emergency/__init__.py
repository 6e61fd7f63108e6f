"""What cuts into everything: asked for, heard, accepted, repeated, cancelled, reviewed; and the stop order."""
