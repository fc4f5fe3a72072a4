"""Theory: the cavity equation for level broadenings and the diffuson for thermometer populations."""
