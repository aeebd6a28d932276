"""What stands on the ward's whiteboard: frozen dataclasses, standard library only."""
